from __future__ import annotations

import pytest

from bench.cycle import Asked, Segment, busiest_minute, covered, critical_path, engine_spans, measured, waits

POLLED = [Asked("GET", "/hosts/h1", at, at + 0.1) for at in (3.0, 4.0, 5.0, 6.0)]
TIMELINE = [
    Asked("GET", "/events", 0.0, 0.2),
    Asked("POST", "/hosts/h1/approve", 1.0, 3.0),
    *POLLED,
    Asked("GET", "/events", 6.2, 6.3),
]


def test_what_no_client_could_save_is_the_engines_own() -> None:
    # The change took 2 s; the last answer that did not show what was awaited came 2.1 s after the first question.
    assert covered(engine_spans(TIMELINE)) == pytest.approx(2.0 + 2.1)
    assert waits(TIMELINE) == [POLLED]


def test_the_busiest_minute_is_found_wherever_it_begins() -> None:
    run = [Asked("GET", "/x", at, at) for at in (0, 100, 101, 102, 159, 161)]
    assert busiest_minute(run) == 4


def test_the_longest_worker_and_the_cleaning_up_make_the_path() -> None:
    slow = [Asked("POST", "/a", 0, 50)]
    fast = [Asked("POST", "/b", 0, 10)]
    cleaning, beside = [Asked("DELETE", "/a", 60, 70)], [Asked("DELETE", "/b", 65, 72.1)]
    ratio, _, requests = measured(
        66.0, {"gw0": slow, "gw1": fast, "controller-1": cleaning, "controller-2": beside, "gw2": POLLED}, "1"
    )
    assert ratio.value == pytest.approx(72.1 / (50 + 10 + 2.1))
    assert ratio.budget == 1.10
    assert requests.value == 4


def test_the_path_goes_through_whoever_held_the_lock_that_was_waited_for() -> None:
    first = [Asked("POST", "/a", 0, 40), Asked("HELD", "node-1", 0, 41), Asked("POST", "/b", 42, 60)]
    second = [
        Asked("POST", "/c", 0, 5),
        Asked("LOCK", "node-1", 6, 41.1),
        Asked("LOCK", "node-2", 41.1, 41.15),
        Asked("POST", "/d", 43, 90),
    ]
    noted = {"gw0": first, "gw1": second}
    assert critical_path(noted) == [Segment("gw1", 41.1, 90), Segment("gw0", 0.0, 41.1)]
    ratio, *_ = measured(100.0, {**noted, "gw2": POLLED}, "1")
    assert ratio.value == pytest.approx(90.0 / (47 + 40))
