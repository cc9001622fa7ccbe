"""Server-sent events (HTML standard §9.2): what one listener may see, as bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from console_api.accounts.roles import Role
from console_api.accounts.sessions import Principal
from console_api.store.views import Change

HEARTBEAT: Final = b": still here\n\n"
MOST_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class Listener:
    """Turns changes into what this principal may see, and remembers which cases it saw."""

    principal: Principal
    cursor: int
    _seen: set[str] = field(default_factory=set)
    _unrecorded: list[str] = field(default_factory=list)

    def begin(self) -> bytes:
        """Return the first bytes: where the stream begins, and how soon to come back."""
        return b"retry: 1000\nid: %d\n\n" % self.cursor

    def gap(self, cursor: int) -> bytes:
        """Say that older changes are no longer kept: read the lists again."""
        self.cursor = cursor
        return _event(cursor, "gap", b"{}")

    def tell(self, changes: Iterable[Change]) -> bytes:
        """Return the bytes of these changes and move the cursor behind them."""
        told = bytearray()
        for change in changes:
            self.cursor = change.id
            if self._may_see(change):
                told += _event(change.id, change.kind, bytes(change.data))
                self._note(change)
            elif change.kind == "case" and change.subject in self._seen:
                self._seen.discard(change.subject)
                gone = b'{"id":"%s"}' % change.subject.encode()
                told += _event(change.id, "gone", gone)
        return bytes(told)

    def take_unrecorded(self) -> tuple[str, ...]:
        """Return the cases that were shown for the first time since the last call."""
        cases = tuple(self._unrecorded)
        self._unrecorded.clear()
        return cases

    def _may_see(self, change: Change) -> bool:
        role = self.principal.role
        if role is Role.TECHNICIAN:
            return change.kind == "device"
        if role is not Role.OFFICER:
            return True
        if self.principal.unit is None or change.kind == "device":
            return False
        mine = change.subject if change.kind == "unit" else change.unit
        return mine == self.principal.unit

    def _note(self, change: Change) -> None:
        if change.kind != "case" or change.subject in self._seen:
            return
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen.add(change.subject)
        self._unrecorded.append(change.subject)


def _event(identity: int, kind: str, data: bytes) -> bytes:
    lines = b"\ndata: ".join(data.splitlines()) or b"{}"
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (identity, kind.encode(), lines)
