"""Measure commands against each other: in turns, so that a busy machine is busy for all of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

LINUX_KIB = 1024


@dataclass(frozen=True)
class Took:
    """What a process and its children cost: seconds on the clock, seconds of CPU, and its peak memory in MiB."""

    seconds: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Arm:
    """A command to be measured, where it runs, the exit code that it has to end with, and what follows each time."""

    command: Sequence[str]
    folder: Path
    code: int = 0
    after: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True)
class Line:
    """One line of the table; `budget` is the most that `value` may be (none: it is only told)."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    more: str = ""

    def __str__(self) -> str:
        """Return the line as it is printed."""
        told = "" if self.budget is None else "met" if self.value <= self.budget else "MISSED"
        limit = "-" if self.budget is None else f"<= {self.budget:g} {self.unit}"
        return f"{self.what:<58} {f'{self.value:.3f} {self.unit}':>12}  {limit:<11} {told:<7} {self.more}".rstrip()


def environment(bytecode: Path) -> dict[str, str]:
    """Return what commands run in: nothing of ours is set, and compiled files are kept as for any user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELEASE_", "PYTEST_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPYCACHEPREFIX": str(bytecode), "COLUMNS": "100"}


def run_once(arm: Arm, env: Mapping[str, str]) -> Took:
    """Run a command to its end; SystemExit with its last words when it ends with another code than it should."""
    before = time.perf_counter()
    with subprocess.Popen(
        arm.command, cwd=arm.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        said = process.stdout.read() if process.stdout else b""
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - before
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != arm.code:
        shown = " ".join(arm.command)[:200]
        sys.exit(f"{shown}: exit code {process.returncode}, not {arm.code}:\n{said.decode()[-2000:]}")
    arm.after()
    return Took(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / LINUX_KIB)


def in_turns(arms: Mapping[str, Arm], times: int, env: Mapping[str, str]) -> dict[str, list[Took]]:
    """Run each command that often, A B B A A B ..., and return what each took, round by round."""
    found: dict[str, list[Took]] = {name: [] for name in arms}
    for turn in range(times):
        for name in list(arms)[:: 1 if turn % 2 else -1]:
            found[name].append(run_once(arms[name], env))
    return found


def ratio(dear: Sequence[float], cheap: Sequence[float]) -> float:
    """Return how many times more the one takes than the other: the median of all rounds.

    Two that ran right after one another met the same machine; the best of each may have met two different ones.
    """
    return statistics.median(a / b for a, b in zip(dear, cheap, strict=True))


def least(found: Sequence[Took]) -> Took:
    """Return the least of each measure: whatever else the machine does only ever adds."""
    return Took(min(t.seconds for t in found), min(t.cpu for t in found), min(t.peak for t in found))
