"""The gate looks at its own result: a GO that its cells deny can neither be given nor be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from pytest_ovirt_release.verdict import rules
from pytest_ovirt_release.verdict.decide import Inputs, decide
from pytest_ovirt_release.verdict.model import Verdict
from tests.unit.verdict.golden import conditional
from tests.unit.verdict.made import NOW, RunMaker, inputs, page, requirement

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = page(requirement("a"), requirement("c", level="should"))


def test_a_gate_that_overlooks_an_unproven_must_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunMaker(PAGE).end()
    assert decide(inputs(PAGE), [run], NOW).verdict == "INCOMPLETE"
    monkeypatch.setattr(rules, "incomplete", lambda *_: ())
    verdict = decide(inputs(PAGE), [run], NOW)
    assert (verdict.verdict, [r.code for r in verdict.reasons]) == ("INVALID", ["self-check"])
    assert verdict.reasons[0].detail == (
        "the gate contradicts itself: Value error, GO, but nothing is proven"
    )
    assert verdict.requirements == ()


def change(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**data, **changes}


def first_cell(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    data["requirements"][0]["cells"][0].update(changes)
    return data


NO_PASS = {"state": "skipped", "class": "unproven", "disposition": "unsatisfied"}
BROKEN: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "other exit code": (lambda d: change(d, exit_code=1), "GO is not exit code 1"),
    "other word": (lambda d: change(d, verdict="NO-GO"), "NO-GO is not exit code 0"),
    "no cells": (lambda d: change(d, requirements=[]), "GO, but nothing is proven"),
    "a reason": (
        lambda d: change(d, reasons=[{"code": "x", "detail": "y"}]),
        "GO, but with reasons against it or with waivers",
    ),
    "another class": (lambda d: first_cell(d, state="failed"), "a: failed is not proven and satisfied"),
    "another disposition": (
        lambda d: first_cell(d, disposition="unsatisfied"),
        "a: passed is not proven and unsatisfied",
    ),
    "nobody passed": (lambda d: first_cell(d, attempts=[]), "a: passed, but nobody passed it"),
    "waived without waiver": (
        lambda d: first_cell(d, **{**NO_PASS, "disposition": "waived"}),
        "a: waived, but its waiver is None",
    ),
    "waiver without use": (lambda d: first_cell(d, waiver="w"), "a: satisfied, but its waiver is w"),
}


@pytest.mark.parametrize(("spoil", "said"), BROKEN.values(), ids=BROKEN)
def test_a_verdict_that_contradicts_itself_cannot_be_read(
    spoil: Callable[[dict[str, Any]], dict[str, Any]], said: str
) -> None:
    good = decide(inputs(PAGE), [RunMaker(PAGE).all_pass().end()], NOW)
    data = good.model_dump(by_alias=True, mode="json")
    assert Verdict.model_validate(data) == good
    with pytest.raises(ValidationError) as caught:
        Verdict.model_validate(spoil(data))
    assert said in str(caught.value)


def test_a_conditional_go_needs_its_waivers() -> None:
    data = conditional().model_dump(by_alias=True, mode="json")
    data["waivers"] = []
    with pytest.raises(ValidationError, match=r"no waiver was used for: b\[vdsm\]"):
        Verdict.model_validate(data)


def test_a_conditional_go_needs_every_must() -> None:
    data = conditional().model_dump(by_alias=True, mode="json")
    cells = data["requirements"][1]["cells"]
    cells[1].update(state="skipped", disposition="unsatisfied")
    cells[1]["class"] = "unproven"
    with pytest.raises(ValidationError, match=r"not satisfied: b\[ovirt-engine\]"):
        Verdict.model_validate(data)


def test_the_last_line_says_what_counts() -> None:
    assert conditional().last_line() == (
        "oVirt 9.9 rc1: GO-CONDITIONAL · must 3/4 proven, 1 waived · should 0/1 proven "
        "(1 should failed: not blocking) · exit 11"
    )
    assert conditional().last_line(2).endswith("· exit 2")
    lab = RunMaker(PAGE, lab=True)
    lab.collect("t.py::test_a", "a")
    lab.ran("t.py::test_a", "failed")
    assert decide(inputs(PAGE), [lab.end(1)], NOW).last_line() == (
        "oVirt 9.9: NO-GO (REHEARSAL) · must 0/1 proven, 1 disproven · should 0/1 proven · exit 1"
    )
    assert decide(Inputs(page=None), [], NOW).last_line() == (
        "release: INVALID · must 0/0 proven · should 0/0 proven · exit 12"
    )
