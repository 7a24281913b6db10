"""How much longer the smoke and node tests take than the engine itself, and how often they ask while they wait.

The engine's own time is what no client could save: how long it takes to answer a change, and how long it stays
in states that are waited through, up to the last answer that did not yet show what was awaited. Only what is on the
critical path counts: from the end back through the process that did the work, and through the one that held a lock
where that was waited for. The cycle lasts from the first request to the last; nothing is subtracted from it:
questions, uploads, SSH commands, the guest's bytes and the way from test to test are all ours. `nox -s bench` runs it too; the ratio has a budget at `--speed 1` only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.ratios import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).parents[1]
LONGER, REQUESTS = 1.10, 60.0
"""Budgets: times the engine's own time; requests a minute for each thing that is awaited."""
DEADLINE = 3000.0
MINUTE = 60.0
REAL_WAIT = 0.2
"""Seconds; who got a lock sooner did not wait for anybody."""
GO_ON = (0, 10, 11)
"""Exit codes of a run whose tests passed: a part of the suite is INCOMPLETE."""


@dataclass(frozen=True)
class Asked:
    """One request: times are seconds of the system's monotonic clock, which all processes share."""

    method: str
    path: str
    began: float
    ended: float


@dataclass(frozen=True)
class Segment:
    """A part of the critical path: what one process did in this time."""

    process: str
    since: float
    until: float


def critical_path(noted: dict[str, list[Asked]]) -> list[Segment]:
    """Return the path through the workers from their end to their beginning, by the locks that were waited for."""
    if not noted:
        return []
    process, until = max(
        ((name, max(a.ended for a in asked)) for name, asked in noted.items()), key=lambda p: p[1]
    )
    path = []
    while True:
        waited = [
            a
            for a in noted[process]
            if a.method == "LOCK" and a.ended < until and a.ended - a.began > REAL_WAIT
        ]
        switch = next(
            (
                (lock, other)
                for lock in sorted(waited, key=lambda a: -a.ended)
                if (other := _holder(noted, process, lock))
            ),
            None,
        )
        path.append(Segment(process, switch[0].ended if switch else 0.0, until))
        if switch is None:
            return path
        until, process = switch[0].ended, switch[1]


def _holder(noted: dict[str, list[Asked]], process: str, lock: Asked) -> str | None:
    """Return the process that held a lock last before it was got."""
    held = [
        (a.ended, name)
        for name, asked in noted.items()
        for a in asked
        if name != process
        and a.method == "HELD"
        and a.path == lock.path
        and lock.began < a.ended <= lock.ended
    ]
    return max(held)[1] if held else None


def engine_spans(asked: Sequence[Asked]) -> list[tuple[float, float]]:
    """Return when it was the engine's turn: changes, and states that were waited through."""
    spans = [(a.began, a.ended) for a in asked if a.method not in {"GET", "LOCK", "HELD"}]
    return spans + [(run[0].began, run[-2].ended) for run in waits(asked)]


def covered(spans: Iterable[tuple[float, float]], since: float = 0.0, until: float = math.inf) -> float:
    """Return the seconds that spans cover between two moments; where they overlap, once."""
    total, reached = 0.0, since
    for began, ended in sorted(spans):
        end = min(ended, until)
        total += max(0.0, end - max(began, reached))
        reached = max(reached, end)
    return total


def waits(asked: Sequence[Asked]) -> list[list[Asked]]:
    """Return the waits: the same question more than once in a row."""
    requests = [a for a in asked if a.method not in {"LOCK", "HELD"}]
    runs = (list(run) for _, run in itertools.groupby(requests, key=lambda a: (a.method, a.path)))
    return [run for run in runs if run[0].method == "GET" and len(run) > 1]


def busiest_minute(run: Sequence[Asked]) -> int:
    """Return the most requests of one wait that began within a minute."""
    return max(sum(1 for a in run if 0 <= a.began - first.began < MINUTE) for first in run)


def read_notes(folder: Path) -> dict[str, list[Asked]]:
    """Return each process's requests, in order."""
    return {
        path.stem: sorted(
            (Asked(*json.loads(line)) for line in path.read_text().splitlines()), key=lambda a: a.began
        )
        for path in sorted(folder.glob("*.jsonl"))
    }


def measured(seconds: float, noted: dict[str, list[Asked]], speed: str) -> Iterable[Line]:
    """Yield the lines of the table."""
    workers = {name: asked for name, asked in noted.items() if not name.startswith("controller")}
    own = sum(covered(engine_spans(workers[p.process]), p.since, p.until) for p in critical_path(workers))
    # The controller cleans up when the workers have ended, several things at once.
    own += covered(
        span for name, asked in noted.items() if name not in workers for span in engine_spans(asked)
    )
    every = [a for asked in noted.values() for a in asked]
    cycle = max(a.ended for a in every) - min(a.began for a in every)
    strict = float(speed) == 1
    more = f"{cycle:.1f} s beside {own:.1f} s of the engine's own; speed {speed}"
    what = "smoke and node cycle, two nodes, beside the engine itself"
    yield Line(what, cycle / own, "x", LONGER if strict else None, more)
    yield Line("from pytest's start to its end, a lab's start and end within", seconds, "s")
    runs = [run for asked in noted.values() for run in waits(asked)]
    most = max(runs, key=busiest_minute)
    name = f"{len(runs)} waits; most for {most[0].path.partition('[')[0]}"
    yield Line("requests in the busiest minute of a wait", busiest_minute(most), "", REQUESTS, name)


def main() -> None:
    """Run the tests once on a lab, and print one line for each budget."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--speed", default="1", help="of the lab; budgets hold at 1, which takes several minutes"
    )
    parser.add_argument("--keep", type=Path, help="folder that the notes are copied into")
    parser.add_argument("--quick", action="store_true", help="speed 10")
    given = parser.parse_args()
    speed = "10" if given.quick else given.speed
    with tempfile.TemporaryDirectory(prefix="cycle-") as scratch:
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:html", "-n", "2"]
        words += ["-p", "bench.cycle_watch", "-o", f"release_reports={scratch}/reports"]
        # pytest tidies up after its last runs before it ends; in a folder of our own there are none.
        words += ["-p", "no:hypothesispytest", "--basetemp", str(Path(scratch, "tmp"))]
        words += ["-o", f"release_lab_speed={speed}", "--release-target", "lab"]
        words += ["acceptance/test_smoke.py", "acceptance/test_node.py"]
        # As on a tester's machine, where what was compiled once stays compiled.
        not_ours = ("PYTEST_", "RELEASE_", "PYTHONDONTWRITEBYTECODE")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(not_ours)}
        began = time.monotonic()
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=kept | {"CYCLE_NOTES": scratch},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        seconds = time.monotonic() - began
        if done.returncode not in GO_ON:
            sys.exit(f"the tests did not pass: {done.stdout[-3000:]}{done.stderr[-1000:]}")
        if given.keep:
            shutil.copytree(scratch, given.keep, dirs_exist_ok=True)
        for line in measured(seconds, read_notes(Path(scratch)), speed):
            print(line, flush=True)


if __name__ == "__main__":
    main()
