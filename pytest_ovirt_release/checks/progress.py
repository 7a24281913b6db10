"""What this process waits for, told to whoever watches: one small file for each process of a run.

A file and no message: pytest's workers have no channel for news, and a file can be read by anybody (`cat`). Times are
of the system's monotonic clock, which all processes of one machine share.
"""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Tell = Callable[[str], None]

WaitT = TypeVar("WaitT", bound="Callable[..., Any]")
BEGUN = "…"
"""Stands for the state before the first answer."""

LARGEST = 64 * 1024
"""Bytes of one process's file; it has a few hundred."""


@dataclass(frozen=True)
class Awaited:
    """One wait: what for, the state seen last, since when, and for how many seconds at most."""

    what: str
    state: str
    since: float
    deadline: float


class _Board:
    """The waits of this process, in a file once somebody said where."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._waits: dict[int, Awaited] = {}
        self._lock = threading.Lock()
        self._next = 0

    def publish(self, path: Path | None) -> None:
        with self._lock:
            self._path, self._waits = path, {}

    def put(self, number: int | None, awaited: Awaited | None) -> int:
        with self._lock:
            if number is None:
                self._next = number = self._next + 1
            if awaited is None:
                self._waits.pop(number, None)
            else:
                self._waits[number] = awaited
            self._write()
            return number

    def _write(self) -> None:
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):  # news only: a full disk is told by the journal
            new.write_text(json.dumps([asdict(a) for a in self._waits.values()]), encoding="utf-8")
            new.replace(self._path)


_board = _Board()


def publish_to(path: Path | None) -> None:
    """Say where this process's waits are to be written from now on; None: nowhere."""
    if path is not None:
        path.parent.mkdir(exist_ok=True)
    _board.publish(path)


@contextlib.contextmanager
def shown(what: str, deadline: float) -> Iterator[Tell]:
    """Show a wait while the body runs; the body tells each state by what it is given."""
    awaited = Awaited(what, BEGUN, time.monotonic(), deadline)
    number = _board.put(None, awaited)
    last = BEGUN

    def tell(state: str) -> None:
        nonlocal last
        if state != last:
            last = state
            _board.put(number, replace(awaited, state=state))

    try:
        yield tell
    finally:
        _board.put(number, None)


def shows(wait: WaitT) -> WaitT:
    """Let every call of a waiting function (`probe`, `what=`, `deadline=`) be shown."""

    @functools.wraps(wait)
    def waiting(probe: Callable[[], tuple[str, Any]], *, what: str, deadline: float, **others: Any) -> Any:  # noqa: ANN401
        with shown(what, deadline) as tell:

            def told() -> tuple[str, Any]:
                state, value = probe()
                tell(state)
                return state, value

            return wait(told, what=what, deadline=deadline, **others)

    return cast("WaitT", waiting)


def read_all(folder: Path) -> tuple[tuple[str, Awaited], ...]:
    """Return what every process waits for, in the order of their names; a torn or foreign file counts as nothing."""
    found: list[tuple[str, Awaited]] = []
    for path in sorted(folder.glob("*.json")):
        try:
            with path.open("rb") as file:
                given = json.loads(file.read(LARGEST))
            found += [(path.stem, Awaited(**one)) for one in given]
        except (OSError, ValueError, TypeError):
            continue
    return tuple(found)
