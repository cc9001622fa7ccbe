"""Messages kept in memory only, until the broker has them: statuses and the newest track."""

from .actions import STATUS, TRACK, Publish

_MOST = 8
_REMEMBERED = 8


class Report:
    """One such message; a newer one of the same `kind` replaces it unless `kind` is empty."""

    def __init__(
        self, kind: str, body: "dict[int, object]", seq: int, born_ms: int, *, health: bool = False
    ) -> None:
        self.kind = kind
        self.body = body
        self.seq = seq
        self.born_ms = born_ms
        self.health = health
        self.sent = False


class Reports:
    """What waits for the broker's acknowledgement, at most eight."""

    def __init__(self, boot: int, age_key: int) -> None:
        self._boot = boot
        self._age_key = age_key
        self._waiting: list[Report] = []
        self._born: list[tuple[int, int]] = []

    def add(self, report: Report) -> None:
        """Add a message; the oldest gives way when there are too many."""
        if report.kind:
            self._waiting = [r for r in self._waiting if r.kind != report.kind]
        if len(self._waiting) >= _MOST:
            del self._waiting[0]
        self._waiting.append(report)
        self._born.append((report.seq, report.born_ms))
        if len(self._born) > _REMEMBERED:
            del self._born[0]

    def has(self, seq: int) -> bool:
        """Say whether a message still waits."""
        return any(report.seq == seq for report in self._waiting)

    def born_ms(self, seq: int) -> "int | None":
        """Return when one of the last eight was made."""
        for known, born_ms in self._born:
            if known == seq:
                return born_ms
        return None

    def reconnected(self) -> None:
        """Send all again: what was on its way went down with the connection."""
        for report in self._waiting:
            report.sent = False

    def delivered(self, seq: int) -> None:
        """Forget what the broker has."""
        self._waiting = [report for report in self._waiting if report.seq != seq]

    def take(self, now_ms: int) -> "list[Publish]":
        """Return what has not been sent in this connection, with its age."""
        actions = []
        for report in self._waiting:
            if not report.sent:
                report.sent = True
                report.body[self._age_key] = now_ms - report.born_ms
                lane = TRACK if report.kind == TRACK else STATUS
                actions.append(Publish(lane, self._boot, report.seq, report.body, report.health))
        return actions
