"""Asking the engine once more: only where that is harmless, and only as long as a restart may take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from pytest_ovirt_release.checks import waiting
from pytest_ovirt_release.checks.engine.errors import NotSent
from pytest_ovirt_release.errors import Unreachable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

T = TypeVar("T")


class Patience:
    """How long an engine that has answered before may be away, and how often it was.

    A question can be repeated as it is; a change only when it never left this machine. Inside of `wait_until`
    nothing is repeated: the wait itself asks again, and counts. An engine that stayed away for the whole time
    is not waited for again until it has answered something.
    """

    def __init__(self, seconds: float, flag: threading.Event) -> None:
        """Take how long a restart may take, and the stop flag."""
        self.unanswered = 0
        self._seconds = seconds
        self._flag = flag
        self._gave_up = False

    def ask(self, ask: Callable[[], T], *, changes: bool) -> T:
        """Return what `ask` returns; Unreachable when it cannot be repeated, or the patience is over."""
        start = time.monotonic()
        while True:
            try:
                answer = ask()
            except Unreachable as error:
                self.unanswered += 1
                harmless = not changes or isinstance(error, NotSent)
                if not harmless or self._gave_up or waiting.seconds_left() is not None:
                    raise
                elapsed = time.monotonic() - start
                if elapsed >= self._seconds:
                    self._gave_up = True
                    raise
                if self._flag.wait(min(waiting.interval(elapsed), self._seconds - elapsed)):
                    raise
            else:
                self._gave_up = False
                return answer
