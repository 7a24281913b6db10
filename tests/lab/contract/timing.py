"""How long the lab's objects stay in each passing state at `--speed 1`, against a real engine's.

`python -m tests.lab.contract.timing [TOPIC…]` replays scenarios in real time, which takes minutes, prints every
passing state with both times, and ends with 1 if one of them is out of bounds.
"""

# ruff: noqa: T201 - a program whose output is what it prints
from __future__ import annotations

import itertools
import math
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.contract.model import topics
from tests.lab.contract.replay import Replay
from tests.lab.contract.stage import Stage
from tests.lab.engine.fakes import Bench, FakePki

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.lab.contract.model import Topic

PASSING = frozenset(
    [
        "installing",
        "reboot",
        "unassigned",
        "initializing",
        "connecting",
        "preparing_for_maintenance",
        "contend",
        "locked",
        "activating",
        "wait_for_launch",
        "powering_up",
        "powering_down",
        "reboot_in_progress",
        "saving_state",
        "restoring_state",
    ]
)
"""States that the engine itself ends; how long the others last is the client's doing."""

SCENARIOS = ("02", "03", "05", "09", "10")
FACTOR, SLACK = 1.6, 1.5
"""How many times longer or shorter a state may last, and how many seconds are never too much: one poll of each."""


def passing(states: Sequence[tuple[float, str]]) -> dict[str, list[float]]:
    """Return how many seconds each stay in a passing state lasted, by state."""
    found: dict[str, list[float]] = defaultdict(list)
    for (began, state), (ended, _) in itertools.pairwise(states):
        if state.split("/")[0] in PASSING:
            found[state.split("/")[0]].append(ended - began)
    return found


def fits(lab: float, recorded: float) -> bool:
    """Return whether two stays are about as long as each other."""
    return abs(lab - recorded) <= SLACK or recorded / FACTOR <= lab <= recorded * FACTOR


def compare(topic: Topic, bench: Bench) -> list[tuple[bool, str]]:
    """Replay one topic in real time; return for each passing state whether it fits, and a line that says so."""
    run = Replay(topic, Stage.on(bench), speed=1)
    run.run()
    rows = []
    for watch in topic.watches:
        ours = passing(run.watchers[watch.name].states)
        for state, recorded in passing(watch.states).items():
            stays = iter(ours.get(state, ()))
            for real in recorded:
                lab = next(stays, math.nan)  # a state that the lab never was in fits nothing
                good = fits(lab, real)
                mark = "" if good else "   OUT OF BOUNDS"
                rows.append(
                    (good, f"{topic.name:<30}{watch.name:<14}{state:<28}{real:7.1f} s {lab:7.1f} s{mark}")
                )
    return rows


def main(prefixes: tuple[str, ...]) -> int:
    """Replay and print; return 1 if a state lasts too long or too short."""
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        pki = FakePki.make(Path(scratch))
        for topic in topics():
            if not topic.watches or not topic.name.startswith(prefixes or SCENARIOS):
                continue
            folder = Path(scratch, topic.name)
            folder.mkdir()
            bench = Bench(folder, pki, speed=1, addresses=())
            try:
                rows = compare(topic, bench)
            finally:
                bench.close()
            wrong += sum(not good for good, _ in rows)
            print("\n".join(text for _, text in rows), flush=True)
    print(f"{wrong} states out of bounds", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
