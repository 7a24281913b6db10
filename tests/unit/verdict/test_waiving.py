"""Waivers hold for what they name, by whom the page lists, for one candidate, until a date; all others are told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_ovirt_release.errors import DataFileError
from pytest_ovirt_release.release.loading import parse_waivers
from pytest_ovirt_release.verdict.decide import decide
from pytest_ovirt_release.verdict.model import Verdict
from tests.unit.verdict.made import NOW, OTHER_SHA, RunMaker, inputs, page, requirement
from tests.unit.verdict.test_table import ANN, waivers

PAGE = page(
    requirement("a"),
    requirement("b", axis="component"),
    requirement("n", axis="node"),
    requirement("d", axis="distribution", level="should"),
    requirement("z", waivable=False),
    requirement("y", axis="component", waivable=False),
    approvers=[ANN],
    distributions=[{"name": "el9", "kind": "rpm", "url": "x", "architecture": "x86_64", "packages": ["p"]}],
)


def judge(given: Any, *, fails: tuple[str, ...] = (), as_of: Any = NOW) -> Verdict:
    """Judge a run in which everything passed but for the cells named."""
    run = RunMaker(PAGE).all_pass()
    run.records = [
        dict(r, outcome="failed", error="CheckFailed")
        if r["kind"] == "report" and r["when"] == "call" and r["nodeid"].removeprefix("t.py::test_") in fails
        else r
        for r in run.records
    ]
    return decide(inputs(PAGE, waivers=given), [run.end(1 if fails else 0)], as_of)


def test_a_waiver_is_used_for_exactly_its_cells() -> None:
    given = waivers("b[vdsm]", accepts="disproven")
    verdict = judge(given, fails=("b[vdsm]",))
    assert verdict.verdict == "GO-CONDITIONAL"
    assert [(r.code, r.cell) for r in verdict.reasons] == [("waived", "b[vdsm]")]
    (told,) = verdict.waivers
    assert (told.status, told.used_for, told.role, told.authenticated) == (
        "used",
        ("b[vdsm]",),
        "release manager",
        False,
    )
    more = judge(given, fails=("b[vdsm]", "b[ovirt-engine]"))
    assert more.verdict == "NO-GO"
    assert [r.cell for r in more.reasons if r.code == "must-failed"] == ["b[ovirt-engine]"]


NOT_USED = [
    ({"candidate": OTHER_SHA}, "other-candidate", "SHA-256 ffff"),
    ({"approver": "Mallory"}, "refused", "may not approve waivers; the page lists Ann"),
    ({"cells": ["a", "z", "y[vdsm]"]}, "refused", "the page allows no waiver for z, y[vdsm]"),
    (
        {"expires": date(2026, 11, 21), "cells": ["a", "b[vdsm]"]},
        "expired",
        "expired on 2026-11-21; it would have been for a, b[vdsm]",
    ),
    ({"approved": date(2026, 11, 23)}, "not-yet", "was not approved before 2026-11-23"),
    ({"accepts": "unproven"}, "unused", "disproven is a"),
    ({"cells": ["b[vdsm]"]}, "unused", "delete it"),
]


@pytest.mark.parametrize(("changes", "status", "said"), NOT_USED, ids=[n[1] + str(n[0]) for n in NOT_USED])
def test_a_waiver_that_does_not_hold_is_told_and_not_used(
    changes: dict[str, Any], status: str, said: str
) -> None:
    verdict = judge(waivers(**{"cells": ["a"], "accepts": "disproven", **changes}), fails=("a",))
    assert verdict.verdict == "NO-GO"
    assert verdict.waivers[0].status == status
    assert said in verdict.waivers[0].detail
    assert f"waiver-{status}" in {r.code for r in verdict.remarks}


def test_a_waiver_holds_from_the_beginning_of_its_first_day_to_the_end_of_its_last() -> None:
    given = waivers("a", accepts="disproven", approved=date(2026, 11, 22), expires=date(2026, 11, 23))

    def at(text: str) -> str:
        return judge(given, fails=("a",), as_of=datetime.fromisoformat(text)).waivers[0].status

    assert at("2026-11-22T12:00:00+00:00") == "used"
    exact = waivers("a", accepts="disproven", approved=NOW, expires=NOW + timedelta(seconds=1))
    assert judge(exact, fails=("a",)).waivers[0].status == "used"
    assert at("2026-11-23T23:59:59+00:00") == "used"
    assert at("2026-11-24T00:00:00+00:00") == "expired"


def test_a_waiver_that_ends_soon_is_told() -> None:
    soon = waivers("a", accepts="disproven", expires=date(2026, 11, 30))
    later = waivers("a", accepts="disproven", expires=date(2026, 12, 30))
    assert judge(soon, fails=("a",)).waivers[0].expires_soon
    assert "waiver-expires-soon" in {r.code for r in judge(soon, fails=("a",)).remarks}
    assert not judge(later, fails=("a",)).waivers[0].expires_soon


def test_a_waiver_without_use_changes_nothing() -> None:
    verdict = judge(waivers("a"))
    assert (verdict.verdict, verdict.waivers[0].status) == ("GO", "unused")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("aa", "has no requirement 'aa'; did you mean 'a'?"),
        ("a[vdsm]", "is no cell; a has just one"),
        ("b", "b has one for each component, such as 'b[vdsm]'"),
        ("b[vdms]", "b has one for each component"),
        ("b[vdsm", "b has one for each component"),
        ("n", "n has one for each node, such as 'n[node]'"),
        ("n[]", "n has one for each node, such as 'n[node]'"),
        ("d[el8]", "d has one for each distribution, such as 'd[el9]'"),
    ],
)
def test_a_waiver_for_an_unknown_cell_is_invalid(cell: str, said: str) -> None:
    verdict = judge(waivers(cell))
    assert (verdict.verdict, verdict.exit_code) == ("INVALID", 12)
    assert said in verdict.reasons[0].detail


def test_a_page_that_lists_nobody_allows_no_waiver() -> None:
    lonely = page(requirement("a"), requirement("x"))
    run = RunMaker(lonely)
    run.collect("t.py::test_a", "a")
    run.ran("t.py::test_a")
    verdict = decide(inputs(lonely, waivers=waivers("x")), [run.end()], NOW)
    assert verdict.waivers[0].detail == "Ann may not approve waivers; the page lists nobody"
    assert verdict.verdict == "INCOMPLETE"


def test_a_cell_of_a_distribution_can_be_waived() -> None:
    strict = PAGE.model_copy(update={"should": "explain"})
    run = RunMaker(PAGE).all_pass().end()
    verdict = decide(inputs(strict, waivers=waivers("d[el9]")), [run], NOW)
    assert verdict.waivers[0].status == "used"
    assert judge(waivers("d[el9]")).waivers[0].status == "unused"


def test_a_waiver_for_a_node_of_another_target_is_only_unused() -> None:
    assert judge(waivers("n[node-9]")).waivers[0].status == "unused"


def test_a_waiver_file_for_another_page_is_invalid() -> None:
    given = waivers("a").model_copy(update={"page": "page-2"})
    assert judge(given).verdict == "INVALID"


def test_no_waiver_helps_against_invalid() -> None:
    run = RunMaker(PAGE).all_pass().end()
    verdict = decide(inputs(PAGE, waivers=waivers("a"), mistakes=("broken",)), [run], NOW)
    assert verdict.verdict == "INVALID"


def test_waivers_alone_prove_nothing() -> None:
    only = page(requirement("a"), approvers=[ANN])
    verdict = decide(inputs(only, waivers=waivers("a")), [RunMaker(only).end()], NOW)
    assert (verdict.verdict, [r.code for r in verdict.reasons]) == (
        "INCOMPLETE",
        ["nothing-proven", "waived"],
    )


def test_of_two_waivers_for_one_cell_the_first_is_used() -> None:
    first = waivers("a", accepts="disproven")
    second = first.waivers[0].model_copy(update={"id": "w2"})
    both = first.model_copy(update={"waivers": (*first.waivers, second)})
    assert [w.status for w in judge(both, fails=("a",)).waivers] == ["used", "unused"]


FILE = """
schema = "ovirt-release-waivers/1"
page = "page-1"
[[waivers]]
id = "w1"
candidate = "{sha}"
cells = ["a"]
accepts = "unproven"
reason = "known"
approver = "Ann"
approved = 2026-11-20
expires = 2026-12-01
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"a"]', '"source-*"]', "name each cell"),
        ("2026-12-01", "2026-11-19", "is not after approved"),
        ("2026-12-01", "12", "a date such as"),
        ('"unproven"', '"anything"', "'unproven' or 'disproven'"),
        ("reason", "raison", "did you mean 'reason'?"),
        ("waivers/1", "waivers/2", "was written for a newer version"),
        ('cells = ["a"]', "cells = []", "a list of at least 1"),
        ("{sha}", "abc", "a SHA-256 digest"),
    ],
)
def test_mistakes_in_a_waiver_file_are_sentences(old: str, new: str, said: str) -> None:
    text = FILE.replace(old, new).replace("{sha}", OTHER_SHA)
    with pytest.raises(DataFileError) as caught:
        parse_waivers(text.encode(), Path("waivers.toml"))
    assert said in str(caught.value)


def test_a_waiver_file_that_is_not_utf_8_is_a_sentence() -> None:
    with pytest.raises(DataFileError, match="is not UTF-8"):
        parse_waivers(FILE.encode("utf-16"), Path("waivers.toml"))


def test_the_same_id_twice_is_a_mistake() -> None:
    table = FILE[FILE.index("[[") :]
    with pytest.raises(DataFileError, match="stands here twice"):
        parse_waivers((FILE + table).replace("{sha}", OTHER_SHA).encode(), Path("waivers.toml"))
