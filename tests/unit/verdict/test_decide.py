"""The verdict rules, one by one, and the property that no road leads to GO by accident."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.verdict.decide import Inputs, decide, process_exit
from pytest_ovirt_release.verdict.journals import Run
from pytest_ovirt_release.verdict.model import Verdict
from tests.unit.verdict.made import NOW, OTHER_SHA, RunMaker, inputs, of_records, page, requirement

TWO = page(
    requirement("a"), requirement("b", axis="component", needs=("a",)), requirement("c", level="should")
)


def judge(run: Run, given: Any = TWO, **changes: Any) -> Verdict:
    return decide(inputs(given, **changes), [run], NOW)


def codes(verdict: Verdict) -> set[str]:
    return {r.code for r in verdict.reasons}


def test_everything_proven_and_controlled_is_go() -> None:
    verdict = judge(RunMaker(TWO).all_pass().end())
    assert (verdict.verdict, verdict.exit_code, verdict.reasons) == ("GO", 0, ())
    assert verdict.must.proven == 3


def test_nothing_run_is_incomplete() -> None:
    verdict = decide(inputs(TWO), [], NOW)
    assert (verdict.verdict, verdict.exit_code) == ("INCOMPLETE", 10)
    assert all(c.state == "missing" for r in verdict.requirements for c in r.cells)


def test_a_disproven_must_is_no_go_even_if_others_are_missing() -> None:
    run = RunMaker(TWO)
    run.collect("t.py::test_a", "a")
    run.ran("t.py::test_a", "failed", message="no")
    verdict = judge(run.end(1))
    assert (verdict.verdict, verdict.exit_code) == ("NO-GO", 1)
    assert {"must-failed", "must-missing"} <= codes(verdict)


def test_a_failed_should_is_a_remark() -> None:
    run = RunMaker(page(requirement("a"), requirement("c", level="should")))
    run.collect("t.py::test_a", "a")
    run.ran("t.py::test_a")
    run.collect("t.py::test_c", "c", "should")
    run.ran("t.py::test_c", "failed")
    verdict = judge(run.end(1), run.page)
    assert verdict.verdict == "GO"
    assert {r.code for r in verdict.remarks} == {"should-failed"}
    assert "(1 should failed: not blocking)" in verdict.last_line()


def test_an_unexplained_should_is_conditional_where_the_page_wants_explanations() -> None:
    given_page = page(requirement("a"), requirement("c", level="should"), should="explain")
    run = RunMaker(given_page)
    run.collect("t.py::test_a", "a")
    run.ran("t.py::test_a")
    verdict = judge(run.end(), given_page)
    assert verdict.verdict == "GO-CONDITIONAL"
    assert [(r.code, r.cell) for r in verdict.reasons] == [("should-unexplained", "c")]


def test_a_requirement_may_not_apply_to_one_value_of_its_axis() -> None:
    given_page = page(requirement("b", axis="component", not_applicable={"vdsm": "it has none"}))
    verdict = judge(RunMaker(given_page).all_pass().end(), given_page)
    assert {c.id: (c.value, c.state) for c in verdict.requirements[0].cells} == {
        "b[vdsm]": ("vdsm", "not_applicable"),
        "b[ovirt-engine]": ("ovirt-engine", "passed"),
    }
    everywhere = page(requirement("b", axis="component", not_applicable={"*": "nobody has one"}))
    verdict = judge(RunMaker(everywhere).all_pass().end(), everywhere)
    assert {c.state for c in verdict.requirements[0].cells} == {"not_applicable"}


def test_a_block_is_lawful_through_what_is_needed_in_between() -> None:
    given_page = page(requirement("a"), requirement("b", needs=["a"]), requirement("c", needs=["b"]))
    run = RunMaker(given_page)
    for name, fields in (("a", {}), ("b", {"on": "a"}), ("c", {"on": "a"})):
        run.collect(f"t.py::test_{name}", name)
        error = {"error": "Blocked", "message": "no a", **fields} if fields else {}
        run.ran(f"t.py::test_{name}", "failed", **error)
    states = {c.id: c.state for r in judge(run.end(1), given_page).requirements for c in r.cells}
    assert states == {"a": "failed", "b": "blocked", "c": "blocked"}


def test_a_second_test_of_a_cell_that_was_never_collected_keeps_it_unproven() -> None:
    run = RunMaker(page(requirement("a")), suite={"a": ["t.py::test_a", "t.py::test_a_too"]})
    run.collect("t.py::test_a", "a")
    run.ran("t.py::test_a")
    verdict = judge(run.end(), run.page)
    assert verdict.verdict == "INCOMPLETE"
    assert verdict.requirements[0].cells[0].detail == "t.py::test_a_too was not run"


def test_a_block_must_be_lawful() -> None:
    for on, state in (("a", "blocked"), ("c", "errored")):
        run = RunMaker(TWO).all_pass()
        run.records = [r for r in run.records if r.get("nodeid") != "t.py::test_b[vdsm]"]
        run.collect("t.py::test_b[vdsm]", "b", cell="b[vdsm]")
        run.ran("t.py::test_b[vdsm]", "failed", error="Blocked", on=on, message="no")
        verdict = judge(run.end(1))
        assert verdict.verdict == "INCOMPLETE"
        assert next(c for r in verdict.requirements for c in r.cells if c.id == "b[vdsm]").state == state


def test_objects_left_behind_spoil_their_cell() -> None:
    run = RunMaker(TWO).all_pass().add("intent", entry="1", what="vm", name="rel-x", cells=["a"])
    verdict = judge(run.end())
    assert verdict.verdict == "INCOMPLETE"
    assert "vm rel-x" in verdict.requirements[0].cells[0].detail


def test_a_worker_crash_is_an_error_of_its_test() -> None:
    run = RunMaker(TWO).all_pass().add("crash", nodeid="t.py::test_a")
    verdict = judge(run.end(1))
    assert verdict.verdict == "INCOMPLETE"
    assert verdict.requirements[0].state == "errored"
    assert codes(verdict) == {"must-errored"}


@pytest.mark.parametrize(
    ("exit_code", "kind", "expected"),
    [(1, None, {"unrecorded-failure"}), (1, "trouble", {"trouble"}), (0, None, set())],
)
def test_a_failure_that_no_record_explains_is_told(
    exit_code: int, kind: str | None, expected: set[str]
) -> None:
    run = RunMaker(TWO).all_pass()
    if kind:
        run.add(kind, text="oh")
    assert codes(judge(run.end(exit_code))) == expected


def test_trouble_beside_proof_of_somebody_else_is_a_remark() -> None:
    troubled = RunMaker(TWO, "r2", tester="bob").all_pass().add("trouble", text="oh").end()
    good = RunMaker(TWO, "r1", tester="ann").all_pass().end()
    assert decide(inputs(TWO), [troubled], NOW).verdict == "INCOMPLETE"
    verdict = decide(inputs(TWO), [good, troubled], NOW)
    assert (verdict.verdict, [r.code for r in verdict.remarks]) == ("GO", ["trouble"])
    half = RunMaker(TWO, "r3", tester="carl")
    half.collect("t.py::test_a", "a")
    half.ran("t.py::test_a")
    verdict = decide(inputs(TWO), [half.end(), troubled], NOW)
    assert (verdict.verdict, codes(verdict)) == ("INCOMPLETE", {"must-missing"})
    assert "trouble" in {r.code for r in verdict.remarks}


@pytest.mark.parametrize("kind", ["internalerror", "interrupted", "trouble"])
def test_trouble_in_the_run_is_incomplete_although_every_test_passed(kind: str) -> None:
    verdict = judge(RunMaker(TWO).all_pass().add(kind, text="oh").end())
    assert verdict.verdict == "INCOMPLETE"
    assert kind in codes(verdict)


def test_a_run_that_was_killed_is_incomplete() -> None:
    verdict = judge(RunMaker(TWO).all_pass().cut())
    assert (verdict.verdict, codes(verdict)) == ("INCOMPLETE", {"run-not-finished"})


@pytest.mark.parametrize("fields", [{}, {"error": "ValueError"}, {"error": "Blocked", "on": "a"}])
def test_a_failing_test_without_requirement_is_no_go(fields: dict[str, str]) -> None:
    run = RunMaker(TWO).all_pass()
    run.collect("t.py::test_other", None)
    run.ran("t.py::test_other", "failed", message="no", **fields)
    assert codes(judge(run.end(1))) == {"unmapped-failure"}


def test_a_run_that_read_a_place_elsewhere_is_conditional() -> None:
    run = RunMaker(TWO).all_pass().add("fact", key="mirrored", value="place git at https://m.example")
    verdict = judge(run.end())
    assert (verdict.verdict, codes(verdict)) == ("GO-CONDITIONAL", {"mirrored"})


def test_that_one_node_served_both_kinds_of_storage_is_a_remark_and_changes_nothing() -> None:
    text = "node-1 is the target's only node"
    run = RunMaker(TWO).all_pass()
    for _ in range(2):  # a worker that took over says it again
        run.add("fact", key="one-after-the-other", value=text)
    verdict = judge(run.end())
    assert verdict.verdict == "GO"
    (remark,) = [r for r in verdict.remarks if r.code == "one-after-the-other"]
    assert remark.detail == f"run r1: {text}"


def test_an_uncontrolled_must_is_conditional() -> None:
    controls = {"a": {"controlled": True, "faults": ["f"]}, "b": {"controlled": False, "faults": []}}
    verdict = judge(RunMaker(TWO, controls=controls).all_pass().end())
    assert (verdict.verdict, verdict.exit_code) == ("GO-CONDITIONAL", 11)
    assert [r.cell for r in verdict.reasons] == ["b"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"page_sha256": OTHER_SHA}, "other-page"),
        ({"candidate_sha256": OTHER_SHA}, "other-candidate"),
        ({"overlay_sha256": OTHER_SHA, "lab": True}, "other-overlay"),
    ],
)
def test_a_run_of_something_else_is_invalid(changes: dict[str, Any], code: str) -> None:
    verdict = judge(RunMaker(TWO, **changes).all_pass().end())
    assert (verdict.verdict, verdict.exit_code, codes(verdict)) == ("INVALID", 12, {code})


def test_a_live_run_with_other_signers_or_places_is_invalid() -> None:
    run = RunMaker(TWO, overlay_sha256=OTHER_SHA).all_pass().end()
    assert codes(judge(run, overlay_sha256=OTHER_SHA)) == {"override-in-live-run"}
    lab = RunMaker(TWO, overlay_sha256=OTHER_SHA, lab=True).all_pass().end()
    assert judge(lab, overlay_sha256=OTHER_SHA).verdict == "GO"


def test_a_historical_page_judges_rehearsals_only() -> None:
    old = page(requirement("a"), historical=True)
    assert judge(RunMaker(old).all_pass().end(), old).verdict == "INVALID"
    met_lab = RunMaker(old).all_pass().add("brand", where="ca", text="a lab", lab=True).end()
    verdict = judge(met_lab, old)
    assert (verdict.verdict, verdict.rehearsal) == ("GO", True)
    assert "GO (REHEARSAL)" in verdict.last_line()


def test_a_page_without_a_must_is_invalid() -> None:
    only = page(requirement("c", level="should"))
    assert {"no-must"} <= codes(judge(RunMaker(only).all_pass().end(), only))


def test_mistakes_in_the_inputs_are_invalid() -> None:
    assert decide(Inputs(page=None, mistakes=("page.toml is broken",)), [], NOW).verdict == "INVALID"
    assert decide(Inputs(page=None), [], NOW).verdict == "INVALID"


def test_damage_in_a_journal_is_invalid() -> None:
    run = RunMaker(TWO).all_pass().end()
    assert codes(judge(replace(run, damaged=("gw0.jsonl:3: not a journal record",)))) == {"damaged-journal"}


def test_a_gap_on_a_must_after_the_release_is_no_go() -> None:
    gap = {"id": "g", "requirements": ["a"], "title": "hole", "owner": "o", "eta": date(2027, 1, 1)}
    late = page(requirement("a"), gaps=[gap])
    assert codes(judge(RunMaker(late).all_pass().end(), late)) == {"gap-after-release"}


def test_a_gap_that_nobody_promised_to_close_leaves_the_must_to_decide() -> None:
    gap = {"id": "g", "requirements": ["a"], "title": "hole", "owner": "o"}
    open_ended = page(requirement("a"), gaps=[gap])
    proven = judge(RunMaker(open_ended).all_pass().end(), open_ended)
    assert (proven.verdict, proven.gaps[0].status, proven.gaps[0].eta) == ("GO", "open", "promised by nobody")
    assert any("ETA promised by nobody" in reason.detail for reason in proven.remarks)
    assert judge(RunMaker(open_ended).end(), open_ended).verdict == "INCOMPLETE"


def test_passed_by_one_and_failed_by_another_is_a_conflict_until_it_passes_again() -> None:
    only = page(requirement("a"))
    good = RunMaker(only, "r1", tester="ann").all_pass().end()
    bad = RunMaker(only, "r2", tester="bob")
    bad.collect("t.py::test_a", "a")
    bad.ran("t.py::test_a", "failed")
    bad_run = bad.end(1)
    verdict = decide(inputs(only), [good, bad_run], NOW)
    assert (verdict.verdict, verdict.requirements[0].state) == ("NO-GO", "conflict")
    again = RunMaker(only, "r3", tester="bob").all_pass().end()
    assert decide(inputs(only), [good, bad_run, again], NOW).requirements[0].state == "passed"


def test_absence_in_one_run_does_not_spoil_proof_in_another() -> None:
    only = page(requirement("a"))
    skipped = RunMaker(only, "r2", tester="bob")
    skipped.collect("t.py::test_a", "a")
    skipped.phase("t.py::test_a", "setup", "skipped")
    skipped.phase("t.py::test_a", "teardown")
    good = RunMaker(only, "r1", tester="ann").all_pass().end()
    assert decide(inputs(only), [good, skipped.end()], NOW).verdict == "GO"


def test_enough_testers_and_clean_runs() -> None:
    strict = page(requirement("a", min_testers=2))
    one = RunMaker(strict, "r1", tester="ann").all_pass().end()
    two = RunMaker(strict, "r2", tester="bob").all_pass().end()
    assert decide(inputs(strict), [one], NOW).verdict == "INCOMPLETE"
    assert decide(inputs(strict), [one, two], NOW).verdict == "GO"


def test_a_record_of_the_very_moment_is_judged_and_a_later_one_is_not() -> None:
    run = RunMaker(TWO).all_pass().end()
    last = datetime.fromisoformat(run.records[-1]["at"])
    assert decide(inputs(TWO), [run], last).verdict == "GO"
    assert codes(decide(inputs(TWO), [run], last - timedelta(milliseconds=1))) == {"run-after-as-of"}


def test_the_process_exit_is_the_verdicts_unless_pytest_did_not_come_to_its_end() -> None:
    verdict = decide(inputs(TWO), [], NOW)
    assert [process_exit(verdict, code) for code in (0, 1, 5)] == [10, 10, 10]
    assert [process_exit(verdict, code) for code in (2, 3, 4, 6)] == [2, 3, 4, 6]


def test_the_same_inputs_give_the_same_bytes() -> None:
    run = RunMaker(TWO).all_pass().end()
    assert judge(run).model_dump_json() == judge(copy.deepcopy(run)).model_dump_json()


@given(st.data())
def test_taking_anything_away_from_a_go_never_leaves_go_on_a_must(data: st.DataObject) -> None:
    """Drop or spoil any record of a must: the verdict must change."""
    run = RunMaker(TWO).all_pass().end()
    chosen = [
        i
        for i, r in enumerate(run.records)
        if r["kind"] in {"run", "end", "report"} or (r["kind"] == "collected" and r["level"] == "must")
    ]
    chosen = [i for i in chosen if "test_c" not in str(run.records[i].get("nodeid"))]
    index = data.draw(st.sampled_from(chosen))
    records = list(copy.deepcopy(run.records))
    spoilt = data.draw(st.sampled_from(["drop", "failed", "skipped", "wasxfail", "rerun"]))
    if spoilt == "drop" or records[index]["kind"] != "report":
        del records[index]
    elif spoilt in {"failed", "skipped"}:
        records[index]["outcome"] = spoilt
    else:
        records[index][spoilt] = True if spoilt == "rerun" else "known"
    assert judge(of_records(run.id, records)).verdict != "GO"


def timeline(judged_by: str, facts: dict[str, str]) -> tuple[str, str | None]:
    milestone = {"id": "m", "title": "M", "due": date(2026, 1, 10), "judged_by": judged_by}
    given_page = page(requirement("a"), timeline=[milestone])
    run = RunMaker(given_page).all_pass()
    for key, value in facts.items():
        run.add("fact", key=key, value=value, source="somewhere")
    found = judge(run.end(), given_page).timeline[0]
    return found.status, found.actual


def test_a_milestone_is_met_on_its_last_second_and_missed_after_it() -> None:
    early = {"tag-date:vdsm": "2026-01-01T00:00:00+00:00"}
    assert timeline("tag-date", early)[0] == "unknown"
    on_time = early | {"tag-date:ovirt-engine": "2026-01-10T23:59:59+00:00"}
    assert timeline("tag-date", on_time) == ("met", "2026-01-10T23:59:59+00:00")
    late = early | {"tag-date:ovirt-engine": "2026-01-11T00:30:00+00:00"}
    assert timeline("tag-date", late)[0] == "missed"
    assert timeline("tag-date", early | {"tag-date:ovirt-engine": "2026-01-11T00:30:00+02:00"})[0] == "met"
    assert timeline("declared", {}) == ("declared", None)


def test_notes_are_held_against_their_own_components_branch() -> None:
    dates = {
        "notes-date:vdsm": "2026-01-02",
        "branch-date:vdsm": "2026-01-03",
        "notes-date:ovirt-engine": "2026-01-05",
        "branch-date:ovirt-engine": "2026-01-04",
    }
    assert timeline("notes-before-branch", dates)[0] == "missed"
    assert timeline("notes-before-branch", dates | {"notes-date:ovirt-engine": "2026-01-03"})[0] == "met"


def test_a_gap_can_be_closed_only_when_every_probe_says_so() -> None:
    gap = {"id": "g", "requirements": ["a"], "title": "hole", "owner": "o", "eta": date(2026, 11, 30)}
    given_page = page(requirement("a"), gaps=[gap])

    def status(*words: str) -> str:
        run = RunMaker(given_page).all_pass()
        for word in words:
            run.add("fact", key="gap-probe:g", value=word, source="probe", nodeid="t.py::test_a")
        return judge(run.end(), given_page).gaps[0].status

    assert [status(), status("open"), status("closed"), status("open", "closed")] == [
        "open",
        "open",
        "closable",
        "open",
    ]


def test_an_engine_that_the_page_cannot_judge_is_invalid() -> None:
    run = RunMaker(TWO).all_pass().add("fact", key="engine-not-judged", value="the engine is 4.4", source="x")
    assert codes(judge(run.end())) == {"engine-not-judged"}
