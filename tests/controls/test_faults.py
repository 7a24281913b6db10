"""Every fault of the lab disproves exactly what its table row names, on the whole suite."""

from __future__ import annotations

import pytest

from pytest_ovirt_release.lab.faults import BY_NAME
from tests.controls.run import Cells, cells_of, mistakes, run_suite


@pytest.fixture(scope="session")
def clean() -> Cells:
    """The cells of a run without a fault: all proven."""
    code, verdict = run_suite("--release-target", "lab")
    cells = cells_of(verdict)
    assert {c["class"] for c in cells.values()} == {"proven"}
    assert code in {0, 11}
    return cells


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_fault_disproves_exactly_what_its_row_names(name: str, clean: Cells) -> None:
    code, verdict = run_suite("--release-fault", name)
    assert mistakes(BY_NAME[name], clean, cells_of(verdict)) == []
    musts = {r["id"] for r in verdict["requirements"] if r["level"] == "must"}
    disproves_a_must = bool(musts & {d.split("[")[0] for d in BY_NAME[name].disproves})
    assert verdict["verdict"] not in {"GO", "GO-CONDITIONAL"} or not disproves_a_must
    assert code == (1 if disproves_a_must else verdict["exit_code"])
