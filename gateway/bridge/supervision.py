"""Which devices have fallen silent (docs/protocol.md §4): pure, time passed in."""

import heapq
from typing import Final

import msgspec

from gateway.bridge.state import DeviceState
from gateway.registry.directory import Directory
from gateway.registry.model import DeviceStatus

_MISSED_INTERVALS: Final = 2.5
_BACK_WITHIN_MS: Final = 60_000
_LOOK_AT_SUSPENDED_MS: Final = 60_000


class Loss(msgspec.Struct, frozen=True):
    """A device that is lost; `cause` is silence or will."""

    device: str
    cause: str
    last_seen_ms: int


class Watch:
    """Looks at each device when it is next due, not at all of them each time.

    Silence counts only while the gateway listens (from `listening_since_ms` on) and while the
    device is not suspended.
    """

    def __init__(self, listening_since_ms: int) -> None:
        self.listening_since_ms = listening_since_ms
        self._due: list[tuple[int, str]] = []
        self._watched: dict[str, int] = {}
        self._suspended_ms: dict[str, int] = {}

    def expect(self, device: str, due_ms: int) -> None:
        """Look at this device at `due_ms`, unless it is due earlier already."""
        known = self._watched.get(device)
        if known is None or due_ms < known:
            self._watched[device] = due_ms
            heapq.heappush(self._due, (due_ms, device))

    def is_watching(self, device: str) -> bool:
        """Say whether this device is looked at some time."""
        return device in self._watched

    def due(self, now_ms: int, limit: int) -> list[str]:
        """Take the devices to look at now; each must be given back with `expect`."""
        found: list[str] = []
        while self._due and self._due[0][0] <= now_ms and len(found) < limit:
            due_ms, device = heapq.heappop(self._due)
            if self._watched.get(device) == due_ms:
                del self._watched[device]
                found.append(device)
        return found

    def judge(
        self, device_id: str, state: DeviceState, directory: Directory, now_ms: int
    ) -> Loss | int | None:
        """Return a loss, when to look again (Unix ms), or None: not before it speaks again."""
        device = directory.device(device_id)
        if device is None or device.status is DeviceStatus.REVOKED:
            return None
        interval_ms = round(device.supervision_interval_s * 1000 * _MISSED_INTERVALS)
        if device.status is DeviceStatus.SUSPENDED:
            self._suspended_ms[device_id] = now_ms
            return now_ms + _LOOK_AT_SUSPENDED_MS
        if state.lost_ms is not None:
            return None
        since_ms = max(self.listening_since_ms, self._suspended_ms.get(device_id, 0))
        deadline, cause = max(state.heard_ms, since_ms) + interval_ms, "silence"
        if state.will_ms is not None:
            will_deadline = max(state.will_ms, since_ms) + _BACK_WITHIN_MS
            if will_deadline < deadline:
                deadline, cause = will_deadline, "will"
        if now_ms < deadline:
            return deadline
        return Loss(device_id, cause, state.heard_ms)


def after_loss(state: DeviceState, now_ms: int) -> DeviceState:
    """Return the memory of a device that has just been found lost."""
    return msgspec.structs.replace(state, lost_ms=now_ms, will_ms=None, losses=state.losses + 1)
