"""The lab's clock: waits that can be scaled, wall time that cannot."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Scales every wait of the lab: at `speed` 20 a wait of 2 s takes 0.1 s. Timestamps stay true."""

    speed: float = 1.0

    async def sleep(self, seconds: float) -> None:
        """Wait this many seconds of the real engine's time."""
        await asyncio.sleep(seconds / self.speed)
