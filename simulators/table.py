"""The live table of cases and clocks: on a terminal a table, elsewhere a line a change."""

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TextIO

from rich import box
from rich.console import Console as Terminal
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from simulators.book import CaseBook
from simulators.lights import Light, Lights
from simulators.wire import Case, Clock

Language = Literal["id", "en"]
REFRESH_S: Final = 0.5
ENDED_SHOWN: Final = timedelta(seconds=45)
YELLOW_SHARE: Final = 0.8
WIDE: Final = 105
KELURAHAN, STATE, CLOCK, REGISTER = 2, 3, 4, 6  # columns
GIVING_WAY: Final = frozenset({KELURAHAN, STATE})
SHAPES: Final = {"green": "●", "yellow": "▲", "red": "■"}

HEADINGS: Final[Mapping[Language, tuple[str, ...]]] = {
    "id": ("Kasus", "Tombol", "Kelurahan", "Keadaan", "Jam", "Unit", "Register", "Lampu"),
    "en": ("Case", "Button", "Kelurahan", "State", "Clock", "Unit", "Register", "Light"),
}
TITLES: Final[Mapping[Language, str]] = {"id": "Kasus berjalan", "en": "Running cases"}
NOTHING: Final[Mapping[Language, str]] = {
    "id": "Belum ada kasus. Tekan sebuah tombol: siaga press {device}",
    "en": "No case yet. Press a button: siaga press {device}",
}
TAGS: Final[Mapping[Language, tuple[str, str]]] = {
    "id": ("latihan", "senyap"),
    "en": ("drill", "silent"),
}
STATES: Final[Mapping[Language, Mapping[str, str]]] = {
    "id": {
        "received": "masuk",
        "opened": "diverifikasi",
        "dispatched": "diteruskan",
        "accepted": "menuju lokasi",
        "arrived": "di lokasi",
        "cleared": "tertangani",
        "reported": "dilaporkan",
        "updated": "diperbarui",
        "registering": "dikirim",
        "registered": "tercatat",
        "closed": "selesai",
        "dismissed": "dikesampingkan",
        "merged": "digabung",
    },
    "en": {},
}
RUNGS: Final[Mapping[Language, Mapping[str, str]]] = {
    "id": {
        "idle": "siap",
        "pending": "mengirim",
        "stored": "diterima",
        "opened": "dibuka",
        "dispatched": "diteruskan",
        "accepted": "berangkat",
        "arrived": "tiba",
        "handled": "tertangani",
        "closed": "selesai",
        "dismissed": "dikesampingkan",
    },
    "en": {},
}


@dataclass(frozen=True, slots=True)
class Running:
    """The clock that runs, its remaining seconds (negative: late), and how that looks."""

    clock: int
    left_s: float
    level: Literal["green", "yellow", "red"]

    def __str__(self) -> str:
        minutes, seconds = divmod(round(abs(self.left_s)), 60)
        sign = "-" if self.left_s < 0 else ""
        return f"{SHAPES[self.level]} {self.clock} {sign}{minutes}:{seconds:02d}"


@dataclass(frozen=True, slots=True)
class Row:
    """One case as words, and the level of its running clock, if one runs."""

    cells: tuple[str, ...]
    level: Literal["green", "yellow", "red"] | None


def running_clock(case: Case, now: datetime) -> Running | None:
    """Return the running clock with the least time left, reckoned from its mark to `now`."""
    running = [_reckoned(case, clock, now) for clock in case.clocks if case.runs(clock)]
    return min(running, key=lambda clock: clock.left_s, default=None)


def row(case: Case, light: Light | None, now: datetime, language: Language) -> Row:
    """Return what the table shows of a case."""
    clock = None if case.ended else running_clock(case, now)
    drill, silent = TAGS[language]
    tags = [word for word, applies in ((drill, case.drill), (silent, case.silent)) if applies]
    state = STATES[language].get(case.state, case.state)
    rung = "idle" if light is None else light.rung
    cells = (
        case.id,
        case.device.id,
        "-" if case.area is None else case.area.kelurahan,
        f"{state} ({', '.join(tags)})" if tags else state,
        "-" if clock is None else str(clock),
        case.unit or "-",
        case.register_number or "-",
        RUNGS[language].get(rung, rung),
    )
    return Row(cells, None if clock is None else clock.level)


def shown(cases: Iterable[Case], now: datetime, most: int) -> list[Case]:
    """Return the cases to show, newest first: the open ones and those that just ended."""
    fresh = [case for case in cases if not case.ended or _ended_for(case, now) < ENDED_SHOWN]
    return sorted(fresh, key=_received, reverse=True)[:most]


async def show(
    book: CaseBook,
    lights: Lights,
    language: Language = "id",
    out: TextIO | None = None,
) -> None:
    """Show the cases of the book until cancelled."""
    terminal = Terminal(file=out or sys.stdout)
    if terminal.is_terminal:
        await _table(book, lights, language, terminal)
    else:
        await _lines(book, lights, language, terminal)


async def _table(book: CaseBook, lights: Lights, language: Language, terminal: Terminal) -> None:
    with Live(console=terminal, auto_refresh=False, transient=False) as live:
        while True:
            now = datetime.now(UTC)
            most = max(3, terminal.height - 6)
            rows = [
                row(case, lights.now.get(case.device.id), now, language)
                for case in shown(book.cases.values(), now, most)
            ]
            device = next(iter(lights.now), "DEMO-0001")
            live.update(drawn(rows, device, language, terminal.width), refresh=True)
            await asyncio.sleep(REFRESH_S)


def drawn(rows: Sequence[Row], device: str, language: Language, width: int) -> Table | Group:
    """Return the table as it is drawn on so many columns: kelurahan and state give way first."""
    narrow = width < WIDE
    table = Table(title=TITLES[language], expand=True, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    columns = list(enumerate(HEADINGS[language]))[1 if narrow else 0 :]
    for index, heading in columns:
        table.add_column(heading, no_wrap=index not in GIVING_WAY)
    for each in rows:
        table.add_row(*(_cell(each, index, narrow=narrow) for index, _ in columns))
    if rows:
        return table
    return Group(table, Text(NOTHING[language].format(device=device)))


def _cell(each: Row, index: int, *, narrow: bool) -> Text:
    words = each.cells[index]
    if narrow and index == REGISTER:
        words = words.rpartition("/2")[2].partition("/")[2] or words  # month and number
    colour = each.level if index == CLOCK and each.level is not None else ""
    return Text(words, style=colour, no_wrap=True, overflow="ellipsis")


async def _lines(book: CaseBook, lights: Lights, language: Language, terminal: Terminal) -> None:
    """Print a line for every case whose words, clocks apart, have changed."""
    said: dict[str, tuple[str, ...]] = {}
    while True:
        now = datetime.now(UTC)
        fresh = shown(book.cases.values(), now, sys.maxsize)
        said = {case.id: said[case.id] for case in fresh if case.id in said}
        for case in reversed(fresh):
            words = row(case, lights.now.get(case.device.id), now, language).cells
            lasting = (*words[:4], *words[5:])
            if said.get(case.id) != lasting:
                said[case.id] = lasting
                terminal.print("  ".join(words), markup=False, highlight=False, soft_wrap=True)
        await asyncio.sleep(REFRESH_S)


def _reckoned(case: Case, clock: Clock, now: datetime) -> Running:
    since = case.marks.get(clock.start)
    elapsed_s = (clock.elapsed_s or 0.0) if since is None else (now - since).total_seconds()
    left_s = clock.standard_s - elapsed_s
    if left_s < 0:
        return Running(clock.clock, left_s, "red")
    late = elapsed_s >= YELLOW_SHARE * clock.standard_s
    return Running(clock.clock, left_s, "yellow" if late else "green")


def _ended_for(case: Case, now: datetime) -> timedelta:
    return now - max((mark for mark in case.marks.values() if mark is not None), default=now)


def _received(case: Case) -> datetime:
    marks = case.marks
    return marks.get("received") or marks.get("pressed") or datetime.min.replace(tzinfo=UTC)
