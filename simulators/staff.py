"""Operators, a supervisor and officers who work cases over the HTTP API at human speed."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, assert_never

from simulators.book import CaseBook, follow
from simulators.chance import Span, seeded
from simulators.console import ConflictError, Console
from simulators.decisions import (
    Dismiss,
    Dispatch,
    Merge,
    Step,
    Task,
    nearest_fit,
    officer_task,
    operator_task,
    supervisor_task,
    verdict,
)
from simulators.errors import ConsoleRefusedError
from simulators.geodesy import Spot
from simulators.pace import Pace
from simulators.photo import photo, picture
from simulators.roads import drive
from simulators.wire import Case
from simulators.words import DECLINED, REMARKS, report

log: Final = logging.getLogger(__name__)

IDLE_S: Final = 5.0
NO_UNIT_S: Final = 10.0
POSITION_S: Final = 5.0
LEAST_WALL_S: Final = 1.0  # however fast life runs, no more positions than this a unit
BEACON_WALL_S: Final = 45.0  # a position counts as fresh for two minutes
PHOTO_SHARE: Final = 0.4
LOCATED_SHARE: Final = 0.8
REFUSED_S: Final = 60.0  # a step that was refused is tried again, not at once
OUT_OF_REACH: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Habits:
    """How long people take for each step, in seconds of theirs."""

    steps: dict[Step, Span] = field(
        default_factory=lambda: {
            Step.OPEN: Span(5.0, 0.4, 1.5, 14.0),
            Step.VERIFY: Span(22.0, 0.35, 8.0, 80.0),
            Step.SECOND: Span(20.0, 0.5, 5.0, 90.0),
            Step.CLOSE: Span(15.0, 0.4, 4.0, 90.0),
            Step.REGISTER: Span(25.0, 0.4, 8.0, 120.0),
            Step.UPDATE: Span(35.0, 0.4, 10.0, 200.0),
            Step.ACCEPT: Span(12.0, 0.5, 3.0, 55.0),
            Step.DECLINE: Span(12.0, 0.5, 3.0, 55.0),
            Step.DRIVE: Span(10.0, 0.4, 3.0, 40.0),
            Step.WORK: Span(150.0, 0.6, 40.0, 900.0),
            Step.REPORT: Span(70.0, 0.5, 20.0, 250.0),
        }
    )


@dataclass(frozen=True, slots=True)
class Room:
    """What all staff of a city share and know."""

    seed: int
    pace: Pace
    habits: Habits = field(default_factory=Habits)
    supervisors: frozenset[str] = frozenset()


class Person:
    """Sees cases, chooses a step, takes the time for it, does it; again."""

    def __init__(self, console: Console, room: Room) -> None:
        self.console = console
        self.room = room
        self.book = CaseBook()
        self.chance = seeded(room.seed, "person", console.username)
        self._aside: dict[tuple[str, int], float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for duty in self.duties():
                group.create_task(duty)

    def duties(self) -> list[Coroutine[None, None, None]]:
        """Return what runs side by side."""
        return [follow(self.console, self.book, self.chance), self._work()]

    def choose(self, cases: Iterable[Case]) -> Task | None:
        """Return the next step among these cases, or nothing to do."""
        raise NotImplementedError

    async def perform(self, task: Task, case: Case) -> None:
        """Do the step."""
        raise NotImplementedError

    async def _work(self) -> None:
        while True:
            self.book.news.clear()
            task = self.chosen()
            if task is None:
                await self.room.pace.waits(IDLE_S, self.book.news)
            elif await self._thinks_over(task):
                await self._try(task)

    def chosen(self) -> Task | None:
        """Return the next step among the cases that are not put aside."""
        now = asyncio.get_running_loop().time()
        self._aside = {case: until for case, until in self._aside.items() if until > now}
        return self.choose(
            case for case in self.book.cases.values() if (case.id, case.version) not in self._aside
        )

    def put_aside(self, case: Case, seconds: float) -> None:
        """Do something else for so long, or until the case changes."""
        until = asyncio.get_running_loop().time() + self.room.pace.wall(seconds)
        self._aside[case.id, case.version] = until

    async def _thinks_over(self, task: Task) -> bool:
        """Take the time of a person; return False if something else has become more urgent."""
        pace = self.room.pace
        loop = asyncio.get_running_loop()
        seconds = self.room.habits.steps[task.step].draw(self.chance)
        ready_at = loop.time() + pace.wall(seconds)
        while (left := ready_at - loop.time()) > 0:
            if not await pace.waits(left * pace.speed, self.book.news):
                break
            self.book.news.clear()
            if self.chosen() != task:
                return False
        return self.chosen() == task

    async def _try(self, task: Task) -> None:
        case = self.book.cases[task.case]
        try:
            await self.perform(task, case)
        except ConflictError:
            await self._look_again(case.id)
        except ConsoleRefusedError as refusal:
            log.warning("%s: %s", self.console.username, refusal)
            self.put_aside(case, REFUSED_S)
            await self._look_again(case.id)

    async def act(self, case: Case, action: str, body: dict[str, object]) -> None:
        """Do something to the case and see what it is then."""
        self.book.put(await self.console.act(case, action, body))

    async def _look_again(self, case: str) -> None:
        try:
            self.book.put(await self.console.case(case))
        except ConsoleRefusedError as refusal:
            if refusal.status not in OUT_OF_REACH:
                raise
            self.book.drop(case)


class Operator(Person):
    """Opens new cases, verifies, dispatches, and carries them to the register."""

    def choose(self, cases: Iterable[Case]) -> Task | None:
        """Return the most urgent step at the desk."""
        return operator_task(cases, self.console.username, self.room.supervisors)

    async def perform(self, task: Task, case: Case) -> None:
        """Do a step at the desk."""
        match task.step:
            case Step.OPEN:
                await self.act(case, "open", {})
            case Step.VERIFY:
                await self._verify(case)
            case Step.UPDATE:
                await self.act(case, "update", {"remarks": self.chance.choice(REMARKS)})
            case Step.REGISTER:
                await self.act(case, "register", {})
            case Step.CLOSE:
                await self.act(case, "close", {})
            case Step.SECOND:
                await self._second(case)
            case step:
                raise AssertionError(f"{step} is no step of a desk")

    async def _verify(self, case: Case) -> None:
        decision = verdict(case, self.book.cases, self.room.seed)
        match decision:
            case Dismiss(reason):
                await self.act(case, "dismiss", {"reason": reason})
            case Merge(into):
                await self.act(case, "merge", {"into": into})
            case Dispatch():
                await self._dispatch(case)
            case other:
                assert_never(other)

    async def _dispatch(self, case: Case) -> None:
        unit = nearest_fit((await self.console.proposals(case.id)).units)
        if unit is None:
            self.put_aside(case, NO_UNIT_S)
        else:
            await self.act(case, "dispatch", {"unit": unit})

    async def _second(self, case: Case) -> None:
        first = case.awaiting_second
        if first is not None and first.action == "dismiss":
            await self.act(case, "dismiss", {"reason": case.dismiss_reason or "other"})
        elif first is not None:
            await self.act(case, "close", {})


class Supervisor(Operator):
    """Signs silent alarms second, and opens what nobody opens."""

    def choose(self, cases: Iterable[Case]) -> Task | None:
        """Return a second signature or an alarm nobody opens, else an own case's step."""
        now = datetime.now(UTC)
        return supervisor_task(cases, self.console.username, now, self.room.pace.speed)


class Officer(Person):
    """The crew of one unit."""

    def __init__(self, console: Console, room: Room, unit: str, base: Spot) -> None:
        super().__init__(console, room)
        self.unit = unit
        self.spot = base

    async def run(self) -> None:
        """Work until cancelled, from where the unit was last."""
        known = (await self.console.unit(self.unit)).position
        if known is not None:
            self.spot = known.spot
        await super().run()

    def duties(self) -> list[Coroutine[None, None, None]]:
        """Return what runs side by side: a unit also tells where it is."""
        return [*super().duties(), self._beacon()]

    def choose(self, cases: Iterable[Case]) -> Task | None:
        """Return the next step of the own unit."""
        return officer_task(cases, self.unit, self.room.seed)

    async def perform(self, task: Task, case: Case) -> None:
        """Do a step on the road."""
        match task.step:
            case Step.ACCEPT:
                await self.act(case, "accept", {})
            case Step.DECLINE:
                await self.act(case, "decline", {"reason": self.chance.choice(DECLINED)})
            case Step.DRIVE:
                if await self._drive(task, case):
                    await self.act(self.book.cases[case.id], "arrive", {})
            case Step.WORK:
                await self.act(case, "clear", {})
            case Step.REPORT:
                await self._report(case)
            case step:
                raise AssertionError(f"{step} is no step on the road")

    async def _drive(self, task: Task, case: Case) -> bool:
        """Drive there, telling positions; return False if the case is no longer ours to reach."""
        goal = case.spot
        route = drive(self.spot, goal or self.spot, self.chance)
        pace = self.room.pace
        step_s = max(POSITION_S, LEAST_WALL_S * pace.speed)
        driven_s = 0.0
        while driven_s < route.duration_s:
            await pace.sleep(min(step_s, route.duration_s - driven_s))
            driven_s += step_s
            self.spot = route.at(driven_s).spot
            await self._tell()
            if not self._still(task):
                return False
        return self._still(task)

    def _still(self, task: Task) -> bool:
        now = self.chosen()
        return now is not None and (now.case, now.step) == (task.case, task.step)

    async def _report(self, case: Case) -> None:
        if self.chance.random() < PHOTO_SHARE:
            await self._attach(case)
        await self.act(case, "report", report(self.chance, case.category, drill=case.drill))

    async def _attach(self, case: Case) -> None:
        """Send a photo; a report is never held up by one."""
        caption = f"{case.id} {self.unit}"
        located = self.chance.random() < LOCATED_SHARE
        taken = photo(self.chance, caption, self.spot) if located else picture(self.chance, caption)
        try:
            await self.console.attach(case.id, *taken)
        except (ConflictError, ConsoleRefusedError) as refusal:
            log.warning("%s: photo not taken: %s", self.console.username, refusal)

    async def _beacon(self) -> None:
        while True:
            try:
                await self._tell()
            except ConsoleRefusedError as refusal:
                log.warning("%s: %s", self.console.username, refusal)
            await asyncio.sleep(BEACON_WALL_S * self.chance.uniform(0.8, 1.2))

    async def _tell(self) -> None:
        await self.console.move(self.unit, self.spot.lat, self.spot.lon)
