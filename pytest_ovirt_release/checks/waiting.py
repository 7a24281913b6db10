"""Waiting for a state: one loop for everything we wait for, with a deadline and terminal states.

The interval grows with the time already waited (8.5 % of it, 0.07 s at first, 3 s at most): on average some 4 % of
the awaited time is lost, a first minute costs less than 60 requests, and no wait loses more than 3 s.
"""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pytest_ovirt_release.checks.progress import shows
from pytest_ovirt_release.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    Say = Callable[[str], None]
    Events = Callable[[], Sequence[str]]

T = TypeVar("T")

FIRST_INTERVAL = 0.07
SMALL_INTERVAL = 0.2
LARGEST_INTERVAL = 3.0
SHARE = 0.085
"""Of the time waited so far; half an interval is what a wait loses on average."""

LAST_EVENTS = 5

stop = threading.Event()
"""Set by the plugin on SIGINT and SIGTERM: every wait ends at its next tick."""

never_stop = threading.Event()
"""For removal: cleaning up goes on after the stop flag was set."""

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


def seconds_left() -> float | None:
    """Return the seconds until the wait that this thread is in ends; None outside of waits."""
    ends = _ends.get()
    return None if ends is None else max(0.0, ends - time.monotonic())


class Interrupted(KeyboardInterrupt):
    """The run was told to end while something was awaited; like Ctrl-C, it ends the whole run."""


class WaitFailed(Exception):  # noqa: N818 - reads as what happened
    """What was awaited did not come: `terminal` tells a dead end from a deadline."""

    def __init__(self, message: str, *, state: str, history: Sequence[Seen], terminal: bool) -> None:
        """Take the sentence for the report, the last state and all states with their times."""
        self.state = state
        self.history = tuple(history)
        self.terminal = terminal
        super().__init__(message)


@dataclass(frozen=True)
class Seen:
    """A state and when it was first seen, in seconds since the wait began."""

    state: str
    at: float

    def __str__(self) -> str:
        return f"{self.state} {self.at:.1f} s"


def states_seen(error: BaseException | None) -> tuple[str, ...]:
    """Return the states that a failed wait saw, with their times, where such a wait is behind an error."""
    while error is not None:
        if history := getattr(error, "history", ()):
            return tuple(map(str, history))
        error = error.__cause__ or error.__context__
    return ()


@dataclass(frozen=True)
class Waited(Generic[T]):
    """What the last probe gave, every change of state on the way, and how long it took in seconds."""

    value: T
    history: tuple[Seen, ...]
    seconds: float
    unanswered: int = 0


def interval(elapsed: float) -> float:
    """Return the pause in seconds after `elapsed` seconds of waiting."""
    share = SHARE * elapsed
    return min(LARGEST_INTERVAL, max(share, min(SMALL_INTERVAL, FIRST_INTERVAL + share)))


class _Watch:
    """What one wait has seen, and the sentences it says."""

    def __init__(self, what: str, deadline: float, say: Say | None, events: Events | None) -> None:
        self.what = what
        self.deadline = deadline
        self.history: list[Seen] = []
        self.unanswered = 0
        self.trouble = ""
        self._say = say
        self._events = events
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._start

    def note(self, state: str) -> None:
        if self.history and self.history[-1].state == state:
            return
        self.history.append(Seen(state, self.elapsed))
        if self._say is not None:
            self._say(f"waiting for {self.what}: {state}, {self.elapsed:.1f} of {self.deadline:g} s")

    def overdue(self) -> Exception:
        if not self.history:
            return Unreachable(
                f"nothing answered in {self.deadline:g} s while waiting for {self.what}: {self.trouble}"
            )
        trouble = f" ({self.trouble})" if self.trouble else ""
        return self.failure(f"it did not come within {self.deadline:g} s{trouble}", terminal=False)

    def failure(self, ended: str, *, terminal: bool) -> WaitFailed:
        states = ", ".join(map(str, self.history)) or "none"
        text = f"waited {self.elapsed:.1f} s for {self.what}: {ended}; states seen: {states}"
        last = self._last_events()
        if last:
            text += "; last events: " + " | ".join(last)
        state = self.history[-1].state if self.history else ""
        return WaitFailed(text, state=state, history=self.history, terminal=terminal)

    def _last_events(self) -> Sequence[str]:
        if self._events is None:
            return ()
        try:
            return list(self._events())[-LAST_EVENTS:]
        except Exception as error:  # noqa: BLE001 - the wait's own failure must not be hidden by this one
            return (f"events could not be read: {error}",)


@shows
def wait_until(  # noqa: PLR0913 - a wait is described by all of these, and by keyword
    probe: Callable[[], tuple[str, T]],
    *,
    what: str,
    deadline: float,
    wanted: Collection[str],
    failing: Collection[str] = (),
    say: Say | None = None,
    events: Events | None = None,
    flag: threading.Event | None = None,
) -> Waited[T]:
    """Ask until a wanted state is seen.

    Args:
        probe: returns the state's name and whatever the caller wants back; Unreachable is tolerated and counted.
        what: what is awaited, as the failure sentence says it ("host node-1 up").
        deadline: longest wait in seconds.
        wanted: states that end the wait.
        failing: states from which nothing wanted can follow; they end the wait at once.
        say: told each change of state, for the status line.
        events: asked for the last events when the wait fails.
        flag: what ends the wait early; the run's stop flag when left out.

    Raises:
        WaitFailed: deadline over, or a failing state.
        Unreachable: nothing answered during the whole wait.
        Interrupted: the flag was set.
    """
    flag = stop if flag is None else flag
    watch = _Watch(what, deadline, say, events)
    while True:
        if flag.is_set():
            raise Interrupted(f"interrupted while waiting for {what}")
        token = _ends.set(time.monotonic() + max(0.0, deadline - watch.elapsed))
        try:
            state, value = probe()
        except Unreachable as error:
            watch.unanswered, watch.trouble = watch.unanswered + 1, str(error)
        else:
            watch.note(state)
            if state in wanted:
                return Waited(value, tuple(watch.history), watch.elapsed, watch.unanswered)
            if state in failing:
                raise watch.failure(f"it ended as {state}", terminal=True)
        finally:
            _ends.reset(token)
        elapsed = watch.elapsed
        if elapsed >= deadline:
            raise watch.overdue()
        flag.wait(min(interval(elapsed), deadline - elapsed))
