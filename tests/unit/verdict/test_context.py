"""Dates and gaps, case by case."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.verdict.context import judge_gaps, judge_timeline
from tests.unit.verdict.made import NOW, RunMaker, page, requirement

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import MilestoneVerdict

NOON = datetime(2026, 11, 8, 12, tzinfo=UTC)


def declared(first: Any, second: Any) -> tuple[str, str]:
    """Judge a milestone that has to come before another one, by the dates that the page declares."""
    timeline = [
        {"id": "first", "title": "First", "due": date(2026, 11, 7), "before": "second", "actual": first},
        {"id": "second", "title": "Second", "due": date(2026, 11, 8), "actual": second},
    ]
    found = judge_timeline(page(requirement("a"), timeline=timeline), [])
    assert (found[1].status, found[1].source) == ("declared", "declared")
    return found[0].status, found[0].source


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (date(2026, 11, 7), date(2026, 11, 8), "declared"),
        (date(2026, 11, 8), date(2026, 11, 8), "declared"),
        (date(2026, 11, 9), date(2026, 11, 8), "missed"),
        (None, date(2026, 11, 8), "declared"),
        (date(2026, 11, 9), None, "declared"),
        (NOON, NOON, "declared"),
        (NOON, date(2026, 11, 8), "declared"),
        (date(2026, 11, 8), NOON, "missed"),
        (NOON + timedelta(seconds=1), NOON, "missed"),
    ],
)
def test_a_milestone_comes_before_the_one_it_has_to(first: Any, second: Any, status: str) -> None:
    assert declared(first, second)[0] == status


def measured(**dates: str) -> MilestoneVerdict:
    timeline = [{"id": "m", "title": "M", "due": date(2026, 11, 8), "judged_by": "branch-date"}]
    given = page(requirement("a"), timeline=timeline)
    run = RunMaker(given)
    for component, moment in dates.items():
        run.add(
            "fact",
            key=f"branch-date:{component.replace('_', '-')}",
            value=moment,
            source=f"git of {component}",
        )
    return judge_timeline(given, [run.end()])[0]


def test_of_several_dates_the_latest_is_told() -> None:
    found = measured(vdsm="2026-11-05", ovirt_engine="2026-11-04")
    assert (found.status, found.actual) == ("met", "2026-11-05T00:00:00+00:00")
    assert found.source == "git of vdsm (the latest of 2)"
    assert measured(vdsm="2026-11-05", ovirt_engine="2026-11-09").status == "missed"
    assert measured(vdsm="2026-11-05").status == "unknown"


GAP = {"id": "g", "requirements": ["a"], "title": "hole", "owner": "o", "eta": date(2026, 11, 22)}


def gap(*probes: tuple[str, str | None, str | None], as_of: datetime = NOW) -> tuple[str, str]:
    """Judge a gap by (word, test, source) of each probe; the test `a` passed, `b` failed."""
    given = page(requirement("a"), requirement("b"), gaps=[GAP])
    run = RunMaker(given).all_pass()
    for record in run.records:
        if record["kind"] == "report" and record["nodeid"] == "t.py::test_b" and record["when"] == "call":
            record.update({"outcome": "failed", "error": "CheckFailed"})
    for word, test, source in probes:
        fields: dict[str, Any] = {"nodeid": f"t.py::test_{test}"} if test else {}
        run.add("fact", key="gap-probe:g", value=word, **fields, **({"source": source} if source else {}))
    run.add("fact", key="gap-probe:other", value="closed", nodeid="t.py::test_a")
    (found,) = judge_gaps(given, [run.end()], as_of)
    return found.status, found.detail


@pytest.mark.parametrize(
    ("probes", "status", "detail"),
    [
        ([], "open", "not probed"),
        ([("closed", "a", "s")], "closable", "probe says closed: s"),
        ([("closed", "a", None)], "closable", "probe says closed: "),
        ([("closed", "b", "s")], "open", "probe says nothing: s; the test that probed is failed"),
        ([("closed", "zz", "s")], "open", "probe says nothing: s; the test that probed is missing"),
        ([("closed", None, "s")], "open", "probe says nothing: s; the test that probed is missing"),
        ([("open", "b", "s")], "open", "probe says open: s"),
        ([("closed", "a", "s"), ("open", "a", "t")], "open", "probe says open: t"),
        ([("open", "a", "s"), ("closed", "a", "t")], "open", "probe says open: s"),
    ],
)
def test_a_gap_closes_only_the_honest_way(
    probes: list[tuple[str, str | None, str | None]], status: str, detail: str
) -> None:
    assert gap(*probes) == (status, detail)


def test_a_gap_is_overdue_once_its_day_is_over() -> None:
    end = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    assert gap(as_of=end)[0] == "open"
    assert gap(as_of=end + timedelta(seconds=1))[0] == "overdue"
    assert gap(("closed", "a", "s"), as_of=end + timedelta(seconds=1))[0] == "closable"
