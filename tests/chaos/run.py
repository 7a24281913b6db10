"""Kill, cut off and reboot in mid-cycle, then look whether anything is left.

    python -m tests.chaos.run walk            kill -9 of worker, controller and both at every step of the cycle
    python -m tests.chaos.run walk --sample 5 that many of those, by the seed
    python -m tests.chaos.run chaos           50 kills and outages, by the seed, two nodes at once

Each time the lab must be exactly as before, or the verdict must name what is left; the exit code says whether.
"""

from __future__ import annotations

import argparse
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

from tests.chaos.ground import Ground
from tests.chaos.runs import KILLS, OUTAGES, Ended, Trouble, run_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SPEED = "60"
CHAOS = 50
REGISTERS = "vdsm-tool"
"""The one command that changes something on a node."""


def kills(points: Sequence[str]) -> list[Trouble]:
    """Return every kill of the walk.

    Where one thing has ended is where the next begins, so each step stands for itself and for what comes before.
    What only reads on a node changes nothing. When the controller cleans up there are no workers any more.
    """
    found = []
    for point in points:
        role, when, what = point.replace(":", "").split(" ", 2)
        if when == "before" or (what.startswith("ssh ") and f" {REGISTERS} " not in what):
            continue
        ways = KILLS if role == "worker" else ("kill-controller",)
        found += [Trouble(do, point) for do in ways]
    return found


def outages(points: Sequence[str]) -> list[Trouble]:
    """Return every outage that makes sense where it comes: a login ends at a request, SSH at a command."""
    found = []
    for point in points:
        if " before " not in point:
            continue
        for do in OUTAGES:
            fits = {"log-out": "before POST" in point, "drop-ssh": " ssh " in point}
            if fits.get(do, True):
                found.append(Trouble(do, point))
    return found


def untroubled_points(ground: Ground, workers: int) -> tuple[str, ...]:
    """Return every point of a run that nothing happens to; SystemExit when even that leaves something."""
    ended = run_with(ground, None, workers)
    if ended.differs or ended.wrong:
        sys.exit(f"an untroubled run leaves {ended.differs}: {ended.wrong}\n{ended.said}")
    return tuple(dict.fromkeys(ended.points))


def judge(trouble: Trouble, ended: Ended) -> str:
    """Return what is wrong, or nothing."""
    return ended.wrong if ended.happened else "its point was never reached"


@contextmanager
def started(labs: int) -> Iterator[list[Ground]]:
    """Start a few labs, and end those that are in the list at last: one that was left unclean is replaced there."""
    grounds: list[Ground] = []
    try:
        with ThreadPoolExecutor(labs) as pool:
            grounds += pool.map(Ground.start, [SPEED] * labs)
        yield grounds
    finally:
        for ground in grounds:
            ground.stop()


def try_all(
    troubles: Sequence[Trouble], grounds: list[Ground], workers: int, say: Callable[[str], None]
) -> list[str]:
    """Try every trouble, on a few labs side by side; return one line for each that went wrong."""
    free: SimpleQueue[int] = SimpleQueue()
    for number in range(len(grounds)):
        free.put(number)
    wrong: list[str] = []

    def attempt(trouble: Trouble) -> None:
        number = free.get()
        ground = grounds[number]
        try:
            ended = run_with(ground, trouble, workers)
            found = judge(trouble, ended)
            left = f", named as left: {ended.differs}" if ended.differs and not found else ""
            say(
                f"{'WRONG' if found else 'ok'} {trouble} ({ended.seconds:.0f} s, {ended.verdict}{left}) {found}"
            )
            if found:
                wrong.append(f"{trouble}: {found}\n{ended.said[-4000:]}")
            if ended.differs:  # the next one must not be blamed for it
                ground.stop()
                grounds[number] = Ground.start(SPEED)
        except Exception as error:  # noqa: BLE001 - one that cannot be tried must not hide the others
            wrong.append(f"{trouble}: {type(error).__name__}: {error}")
            say(f"WRONG {wrong[-1]}")
        finally:
            free.put(number)

    with ThreadPoolExecutor(len(grounds)) as pool:
        list(pool.map(attempt, troubles))
    return wrong


def chosen(points: Sequence[str], what: str, sample: int | None, seed: int) -> list[Trouble]:
    """Return the troubles to try: for chaos half kills, half outages; the whole walk where no sample is asked."""
    dice = random.Random(seed)  # noqa: S311 - a choice that can be repeated, no secret
    if what == "walk":
        found = kills(points)
        return found if sample is None else dice.sample(found, sample)
    wanted = CHAOS if sample is None else sample
    some = [dice.choice(outages(points)) for _ in range(wanted // 2)]
    some += [dice.choice(kills(points)) for _ in range(wanted - len(some))]
    dice.shuffle(some)
    return some


def main() -> None:
    """Say each one as it ends; exit code 1 when one went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("walk", "chaos"))
    parser.add_argument("--sample", type=int, help="how many; default: every step, or 50 of chaos")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--labs", type=int, default=2, help="how many labs side by side")
    given = parser.parse_args()
    # A walk has one worker, so that every run passes the same points in the same order.
    workers = 1 if given.what == "walk" else 2
    with started(given.labs) as grounds:
        points = untroubled_points(grounds[0], workers)
        troubles = chosen(points, given.what, given.sample, given.seed)
        print(f"{len(points)} points; {len(troubles)} troubles, seed {given.seed}", flush=True)  # noqa: T201 - a command
        wrong = try_all(troubles, grounds, workers, lambda text: print(text, flush=True))  # noqa: T201 - same
    print(f"{len(troubles) - len(wrong)} of {len(troubles)} as it must be")  # noqa: T201 - same
    sys.exit("\n\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
