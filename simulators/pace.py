"""How fast simulated people live: seconds of theirs against seconds of the wall clock."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed` of 1 is life as it is; 60 lets a minute pass in a second."""

    speed: float = 1.0

    def wall(self, seconds: float) -> float:
        """Return how many wall-clock seconds these are."""
        return seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        """Let so many simulated seconds pass."""
        await asyncio.sleep(self.wall(seconds))

    async def waits(self, seconds: float, news: asyncio.Event) -> bool:
        """Let so many simulated seconds pass, or fewer if there is news; return if there was."""
        try:
            async with asyncio.timeout(self.wall(seconds)):
                await news.wait()
        except TimeoutError:
            return False
        return True
