"""A kill and an outage for every change; `nox -s chaos` tries 50 of them, `nox -s walk` every step there is.

CHAOS_SEED chooses others.
"""

from __future__ import annotations

import os

from tests.chaos.run import chosen, kills, outages, started, try_all, untroubled_points
from tests.chaos.runs import KILLS

SEED = int(os.environ.get("CHAOS_SEED", "1"))

POINTS = (
    "worker: before POST /disks #1",
    "worker: during POST /hosts/*/approve #1",
    "worker: after created #1",
    "worker: before ssh node-1 cat #1",
    "worker: after ssh node-1 cat #1",
    "worker: after ssh node-2 unshare #1",
    "worker: after ssh node-2 vdsm-tool #1",
    "controller: after DELETE /hosts/* #1",
)


def test_a_lab_is_as_before_whatever_happens_in_mid_cycle() -> None:
    said: list[str] = []
    with started(1) as grounds:
        troubles = chosen(untroubled_points(grounds[0], 1), "chaos", 2, SEED)
        wrong = try_all(troubles, grounds, 1, said.append)
    assert wrong == [], f"seed {SEED}: {said}"
    assert {trouble.do in KILLS for trouble in troubles} == {True, False}
    assert len(said) == 2


def test_the_walk_kills_every_process_at_every_step_that_changes_something() -> None:
    assert {str(trouble) for trouble in kills(POINTS)} == {
        *(
            f"{do} at worker: {step}"
            for do in ("kill-worker", "kill-controller", "kill-both")
            for step in (
                "during POST /hosts/*/approve #1",
                "after created #1",
                "after ssh node-2 vdsm-tool #1",
            )
        ),
        "kill-controller at controller: after DELETE /hosts/* #1",
    }


def test_outages_come_where_they_can() -> None:
    found = {str(trouble) for trouble in outages(POINTS)}
    assert "log-out at worker: before POST /disks #1" in found
    assert "drop-ssh at worker: before ssh node-1 cat #1" in found
    assert "drop-ssh at worker: before POST /disks #1" not in found
    assert "engine-away at worker: before POST /disks #1" in found


def test_one_seed_chooses_the_same_again_and_another_one_others() -> None:
    assert chosen(POINTS, "chaos", 6, 1) == chosen(POINTS, "chaos", 6, 1)
    assert chosen(POINTS, "chaos", 6, 1) != chosen(POINTS, "chaos", 6, 2)
