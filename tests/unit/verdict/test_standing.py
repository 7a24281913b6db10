"""What many attempts at one test say together, case by case."""

from __future__ import annotations

import pytest

from pytest_ovirt_release.release.page import Requirement
from pytest_ovirt_release.verdict.model import Attempt
from pytest_ovirt_release.verdict.standing import combine, person, too_few, variants
from tests.unit.verdict.made import requirement

# Each attempt is "tester@environment state", in the order of time.
ROWS = [
    ("", "missing"),
    ("ann@x passed", "passed"),
    ("ann@x skipped", "skipped"),
    ("ann@x skipped, bob@x blocked", "blocked"),
    ("ann@x blocked, ann@x missing", "blocked"),
    ("ann@x skipped, bob@x passed", "passed"),
    ("ann@x passed, ann@x skipped", "passed"),
    ("ann@x passed, ann@x blocked, ann@x missing", "passed"),
    ("ann@x flaky, ann@x skipped", "flaky"),
    ("ann@x failed, ann@x passed", "passed"),
    ("ann@x errored, ann@x passed", "passed"),
    ("ann@x passed, ann@x failed", "failed"),
    ("ann@x passed, ann@x errored", "errored"),
    ("ann@x passed, ann@x errored, ann@x failed", "failed"),
    ("ann@x failed, ann@x errored", "failed"),
    ("ann@x failed, ann@x flaky", "failed"),
    ("ann@x failed, ann@x skipped", "failed"),
    ("ann@x passed, bob@x failed", "conflict"),
    ("ann@x failed, bob@x passed", "conflict"),
    ("ann@x failed, bob@x passed, ann@x passed", "passed"),
    ("ann@x failed, bob@x passed, ann@x errored", "conflict"),
    ("ann@x passed, ann@y failed", "conflict"),
    ("ann@x errored, bob@x passed", "errored"),
    ("ann@x flaky, bob@x passed", "flaky"),
    ("ann@x failed, Ann @x passed", "passed"),
    ("ann  a@x failed, ANN A@X passed", "passed"),
    ("anna@x failed, ann a@x passed", "conflict"),
    ("ann@x passed, ann@x failed, bob@x passed", "conflict"),
]


def attempts(text: str, started: str = "") -> list[Attempt]:
    found = []
    for number, part in enumerate(p for p in text.split(", ") if p):
        who, _, state = part.rpartition(" ")
        tester, _, environment = who.partition("@")
        moment = started or f"2026-11-22T12:00:{number:02d}.000+00:00"
        found.append(
            Attempt.model_validate(
                {
                    "nodeid": "t", "run": f"r{number}", "tester": tester, "environment": environment,
                    "state": state, "started": None if state == "missing" else moment,
                    "ended": None if state == "missing" else moment,
                }
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize(("text", "state"), ROWS)
def test_what_attempts_say_together(text: str, state: str) -> None:
    assert combine(attempts(text)) == state
    assert combine(attempts(text)[::-1]) == state


def test_of_two_in_the_same_instant_the_pass_takes_nothing_away() -> None:
    now = "2026-11-22T12:00:00.000+00:00"
    for text in ("ann@x passed, ann@x failed", "ann@x failed, ann@x passed"):
        assert combine(attempts(text, now)) == "failed"


def test_a_pass_takes_away_only_what_had_ended_before_it_began() -> None:
    failed, passed = attempts("ann@x failed, ann@x passed")
    long = failed.model_copy(update={"ended": "2026-11-22T12:30:00.000+00:00"})
    assert combine([failed, passed]) == "passed"
    assert combine([long, passed]) == "failed"


def test_blanks_and_capitals_make_no_other_person() -> None:
    assert person("  Ann   Example ") == person("ann example") == "ann example"
    assert person("Jos\u00e9") == person("Jose\u0301")
    assert person("\uff41\uff4e\uff4e") == person("ann\u200b") == person("\u202eann") == "ann"


def test_variants_are_kept_apart() -> None:
    one, two, three = attempts("ann@x passed, ann@x failed, ann@x passed")
    other = two.model_copy(update={"nodeid": "u"})
    assert variants([one, other, three]) == [[one, three], [other]]


@pytest.mark.parametrize(
    ("text", "testers", "runs", "said"),
    [
        ("ann@x passed", 1, 1, ""),
        ("ann@x passed, bob@x passed", 2, 2, ""),
        ("ann@x passed, Ann@y passed", 2, 1, "passed for 1 of 2 testers"),
        ("ann@x passed, bob@x failed", 2, 1, "passed for 1 of 2 testers"),
        ("ann@x passed", 1, 2, "passed in 1 of 2 clean runs"),
        ("ann@x passed, ann@x flaky", 1, 2, "passed in 0 of 2 clean runs"),
        ("ann@x passed, ann@x passed", 1, 2, ""),
        ("", 1, 1, "passed for 0 of 1 testers"),
        ("ann@x passed, bob@x failed, ann@x passed", 1, 2, "passed in 1 of 2 clean runs"),
        ("bob@x failed, ann@x passed, ann@x skipped, ann@x passed", 1, 2, ""),
    ],
)
def test_enough_testers_and_clean_runs(text: str, testers: int, runs: int, said: str) -> None:
    asked = Requirement.model_validate(requirement(min_testers=testers, clean_runs=runs))
    assert too_few(asked, attempts(text)) == said
