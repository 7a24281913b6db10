"""How much longer the smoke and node tests take than the engine itself, and how often they ask while they wait.

The engine's own time is what no client could save: how long it takes to answer a change, and how long it stays
in states that are waited through, up to the last answer that did not yet show what was awaited. Of everything side
by side the longest counts. Nothing else is subtracted: start of pytest, questions, uploads, SSH commands and the
guest's bytes are all ours. `nox -s bench` runs it too; the ratio has a budget at `--speed 1` only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
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
GO_ON = (0, 10, 11)
"""Exit codes of a run whose tests passed: a part of the suite is INCOMPLETE."""


@dataclass(frozen=True)
class Asked:
    """One request: times are seconds of the system's monotonic clock, which all processes share."""

    method: str
    path: str
    began: float
    ended: float


def engine_seconds(asked: Sequence[Asked]) -> float:
    """Return the engine's own time of one process: changes, and states that were waited through."""
    changes = sum(a.ended - a.began for a in asked if a.method != "GET")
    return changes + sum(run[-2].ended - run[0].began for run in waits(asked))


def waits(asked: Sequence[Asked]) -> list[list[Asked]]:
    """Return the waits: the same question more than once in a row."""
    runs = (list(run) for _, run in itertools.groupby(asked, key=lambda a: (a.method, a.path)))
    return [run for run in runs if run[0].method == "GET" and len(run) > 1]


def busiest_minute(run: Sequence[Asked]) -> int:
    """Return the most requests of one wait that began within a minute."""
    return max(sum(1 for a in run if 0 <= a.began - first.began < MINUTE) for first in run)


def read_notes(folder: Path) -> dict[str, list[Asked]]:
    """Return each process's requests, in order."""
    return {
        path.stem: [Asked(*json.loads(line)) for line in path.read_text().splitlines()]
        for path in sorted(folder.glob("*.jsonl"))
    }


def measured(seconds: float, noted: dict[str, list[Asked]], speed: str) -> Iterable[Line]:
    """Yield the lines of the table."""
    workers = [engine_seconds(asked) for name, asked in noted.items() if name != "controller"]
    own = max(workers, default=0.0) + engine_seconds(noted.get("controller", []))
    strict = float(speed) == 1
    more = f"{seconds:.1f} s beside {own:.1f} s of the engine's own; speed {speed}"
    what = "smoke and node tests, two nodes, beside the engine itself"
    yield Line(what, seconds / own, "x", LONGER if strict else None, more)
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
    parser.add_argument("--quick", action="store_true", help="speed 10")
    given = parser.parse_args()
    speed = "10" if given.quick else given.speed
    with tempfile.TemporaryDirectory(prefix="cycle-") as scratch:
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:html", "-n", "2"]
        words += ["-p", "bench.cycle_watch", "-o", f"release_reports={scratch}/reports"]
        words += ["-o", f"release_lab_speed={speed}", "--release-target", "lab"]
        words += ["acceptance/test_smoke.py", "acceptance/test_node.py"]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "RELEASE_"))}
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
        for line in measured(seconds, read_notes(Path(scratch)), speed):
            print(line, flush=True)


if __name__ == "__main__":
    main()
