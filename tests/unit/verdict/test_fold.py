"""What one test's reports come to."""

from __future__ import annotations

import pytest

from pytest_ovirt_release.verdict.fold import fold, left_behind
from tests.unit.verdict.made import RunMaker


def report(when: str, outcome: str = "passed", **fields: object) -> dict[str, object]:
    return {"kind": "report", "at": "2026-01-01T00:00:00+00:00", "when": when, "outcome": outcome, **fields}


SETUP, CALL, TEARDOWN = report("setup"), report("call"), report("teardown")
BLOCKED = {"error": "Blocked", "on": "x", "message": "no x"}

ROWS = [
    ([SETUP, CALL, TEARDOWN], "passed"),
    ([], "missing"),
    ([SETUP], "errored"),
    ([SETUP, CALL], "errored"),
    ([SETUP, TEARDOWN], "errored"),
    ([CALL, TEARDOWN], "errored"),
    ([SETUP, report("call", "failed", error="Assertion"), TEARDOWN], "failed"),
    ([SETUP, report("call", "failed", error="Error"), TEARDOWN], "errored"),
    ([SETUP, report("call", "failed"), TEARDOWN], "errored"),
    ([report("setup", "failed", error="CheckFailed"), TEARDOWN], "errored"),
    ([SETUP, report("call", "failed", error="Xpass"), TEARDOWN], "flaky"),
    ([report("setup", "failed"), TEARDOWN], "errored"),
    ([SETUP, CALL, report("teardown", "failed")], "errored"),
    ([SETUP, report("call", "failed", error="CheckFailed"), report("teardown", "failed")], "failed"),
    ([report("setup", "skipped"), TEARDOWN], "skipped"),
    ([SETUP, report("call", "skipped"), TEARDOWN], "skipped"),
    ([SETUP, report("call", "skipped", wasxfail="known"), TEARDOWN], "failed"),
    ([report("setup", "skipped", wasxfail="not run"), TEARDOWN], "failed"),
    ([SETUP, report("call", "passed", wasxfail=""), TEARDOWN], "flaky"),
    ([SETUP, report("call", "rerun", rerun=True), TEARDOWN, SETUP, CALL, TEARDOWN], "flaky"),
    ([SETUP, CALL, TEARDOWN, SETUP, CALL, TEARDOWN], "flaky"),
    ([SETUP, report("call", "failed", subtest=True, error="Assertion"), CALL, TEARDOWN], "failed"),
    ([SETUP, report("call", "skipped", subtest=True), CALL, TEARDOWN], "skipped"),
    ([SETUP, report("call", "passed", subtest=True), CALL, TEARDOWN], "passed"),
    ([SETUP, report("call", "failed", **BLOCKED), TEARDOWN], "blocked"),
    ([report("setup", "failed", **BLOCKED), TEARDOWN], "blocked"),
    ([SETUP, report("call", "failed", error="Unproven"), TEARDOWN], "errored"),
    ([SETUP, report("call", "failed", error="CheckFailed", code="tag-missing"), TEARDOWN], "failed"),
    ([SETUP, report("call", "gone"), TEARDOWN], "errored"),
]


@pytest.mark.parametrize(("records", "state"), ROWS)
def test_one_clean_pass_is_the_only_way_to_passed(records: list[dict[str, object]], state: str) -> None:
    assert fold(records).state == state


def test_a_block_says_on_what_and_why() -> None:
    found = fold([SETUP, report("call", "failed", **BLOCKED, code="in-use"), TEARDOWN])
    assert (found.on, found.message, found.code) == ("x", "no x", "in-use")


def test_only_entries_without_removal_are_left_behind() -> None:
    run = RunMaker()
    run.add("intent", entry="1", what="vm", name="rel-a", cells=["vm-on-nfs"])
    run.add("intent", entry="2", what="disk", name="rel-b", cells=[])
    run.add("intent", entry="3", what="host", name="rel-c", cells=["vm-on-nfs"])
    run.add("removed", entry="3")
    assert left_behind(run.cut()) == {"vm-on-nfs": ["vm rel-a"], "": ["disk rel-b"]}
