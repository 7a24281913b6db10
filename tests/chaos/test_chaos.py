"""A few kills and outages for every change; `nox -s chaos` tries 50 of them, `nox -s walk` every step there is."""

from __future__ import annotations

import os

import pytest

from tests.chaos.run import chosen, try_all, untroubled_points

SEED = int(os.environ.get("CHAOS_SEED", "1"))


@pytest.mark.parametrize(("what", "workers"), [("walk", 1), ("chaos", 2)])
def test_a_lab_is_as_before_whatever_happens_in_mid_cycle(what: str, workers: int) -> None:
    troubles = chosen(untroubled_points(workers), what, 2, SEED)
    said: list[str] = []
    wrong = try_all(troubles, 1, workers, said.append)
    assert wrong == [], f"seed {SEED}: {said}"
    assert len(said) == len(troubles) == 2
