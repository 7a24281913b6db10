"""controls.json must fit the checks as they are, and every must must have a fault that disproves it."""

from __future__ import annotations

from typing import get_args

import pytest

from pytest_ovirt_release.lab.faults import TABLE, Lie
from pytest_ovirt_release.record.suite import mistakes, scan
from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.verdict.controls import judge_controls, read_controls
from tests.controls import page
from tests.controls.run import CONTROLS, PAGE, ROOT


def test_every_requirement_has_a_fault_and_every_fault_names_a_requirement() -> None:
    known = {r.id for r in load_page(PAGE).requirements}
    named = {d.split("[")[0] for fault in TABLE for d in fault.disproves}
    assert named == known


def test_the_suite_fits_both_pages() -> None:
    tests = scan(ROOT / "acceptance", ROOT)
    assert {t.requirement for t in tests} == {r.id for r in load_page(PAGE).requirements}
    for path in sorted(PAGE.parent.glob("*.toml")):
        assert mistakes(load_page(path), tests) == ()


@pytest.mark.parametrize("requirement", sorted({r.id for r in load_page(PAGE).requirements}))
def test_controls_are_not_stale(requirement: str) -> None:
    tests: dict[str, tuple[str, ...]] = {}
    for test in scan(ROOT / "acceptance", ROOT):
        tests[test.requirement] = (*tests.get(test.requirement, ()), test.test)
    judged = judge_controls(read_controls(CONTROLS), tests, ROOT, ROOT / "pytest_ovirt_release")
    assert judged[requirement]["controlled"], (
        "the checks have changed: run nox -s controls and commit controls.json"
    )


def test_there_is_a_fault_for_every_kind_of_lie() -> None:
    assert {fault.lie for fault in TABLE} == set(get_args(Lie))


def test_the_page_of_faults_is_up_to_date() -> None:
    assert page.DOCUMENT.read_text(encoding="utf-8") == page.text()
