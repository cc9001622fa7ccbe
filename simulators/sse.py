"""Server-sent events, as the HTML standard (§9.2.6) has a client read them."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """One event; `id` is the last id seen, to resume after."""

    id: str
    event: str
    data: str


@dataclass(slots=True)
class Reader:
    """Turns lines into events; keeps the last id over connections."""

    last_id: str = ""
    _event: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, line: str) -> Iterator[Message]:
        """Take one line without its end; yield the event that it completes, if any."""
        if not line:
            yield from self._dispatch()
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self.last_id = value

    def reset(self) -> None:
        """Forget what a broken connection left unfinished; the id stays."""
        self._event = ""
        self._data = []

    def _dispatch(self) -> Iterator[Message]:
        if self._data:
            yield Message(self.last_id, self._event or "message", "\n".join(self._data))
        self.reset()
