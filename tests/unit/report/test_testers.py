"""Who found what: one row for cells that look alike, never more than a page can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.report import html, testers

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict

Row = tuple[str, str, bool, list[str]]


def shown(verdict: Verdict) -> dict[str, Row]:
    """Return the rows by requirement and values: the state that counts, whether waived, each tester's own."""
    matrix = testers.matrix(verdict)
    assert matrix is not None
    return {
        row.cells.whom: (row.requirement.id, row.together.word, row.waived, [m.word for m in row.marks])
        for row in matrix.rows
    }


def test_each_tester_has_a_column(conditional: Verdict) -> None:
    matrix = testers.matrix(conditional)
    assert matrix is not None
    assert [(t.name, t.environment) for t in matrix.testers] == [
        ("Kim Example", "lab"),
        ("Robin Example", "lab"),
    ]


@pytest.mark.parametrize(
    ("cells", "together", "waived", "marks"),
    [
        ("vm-on-nfs", "conflict", True, ["passed", "failed"]),
        ("vm-on-local", "passed", False, ["passed", "passed"]),
        ("node-runs-vm (node-1)", "passed", False, ["passed", "blocked"]),
        ("node-runs-vm (node-2)", "blocked", True, ["not run", "blocked"]),
        ("distro-builds (fedora-16, debian-7, node-image)", "passed", False, ["passed", "not run"]),
        ("binary-tarball (ovirt-node)", "failed", False, ["failed", "not run"]),
    ],
)
def test_cells_that_look_alike_share_a_row(
    conditional: Verdict, cells: str, together: str, *, waived: bool, marks: list[str]
) -> None:
    assert shown(conditional)[cells][1:] == (together, waived, marks)


def test_every_cell_is_in_exactly_one_row(conditional: Verdict) -> None:
    matrix = testers.matrix(conditional)
    assert matrix is not None
    assert matrix.left_out == 0
    assert sum(row.cells.count for row in matrix.rows) == sum(len(r.cells) for r in conditional.requirements)


@pytest.mark.parametrize("name", ["go", "no_go", "invalid"])
def test_one_tester_alone_needs_no_comparison(name: str, request: pytest.FixtureRequest) -> None:
    verdict: Verdict = request.getfixturevalue(name)
    assert testers.matrix(verdict) is None
    assert "Who found what" not in html.render(verdict)


def test_several_runs_of_one_person_are_one_tester(conditional: Verdict) -> None:
    runs = [
        run.model_copy(update={"tester": name})
        for run, name in zip(conditional.runs, ("Kim", " KIM"), strict=True)
    ]
    assert testers.matrix(conditional.model_copy(update={"runs": tuple(runs)})) is None


def test_a_pass_of_some_of_the_tests_is_no_pass(conditional: Verdict) -> None:
    data = conditional.model_dump(by_alias=True)
    cell = next(c for r in data["requirements"] for c in r["cells"] if c["id"] == "vm-on-local")
    other: dict[str, Any] = dict(cell["attempts"][0], nodeid="acceptance/test_smoke.py::test_another")
    cell["attempts"] = (*cell["attempts"], other)
    found = shown(type(conditional).model_validate(data))
    assert found["vm-on-local"][3] == ["passed", "passed in part"]


def test_a_table_too_large_keeps_what_is_not_proven(huge: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = testers.matrix(huge)
    monkeypatch.setattr(testers, "MOST_MARKS", 1_000_000)
    whole = testers.matrix(huge)
    assert cut is not None
    assert whole is not None
    assert (whole.left_out, cut.left_out) == (0, len(whole.rows) - len(cut.rows))
    assert len(cut.rows) * (len(cut.testers) + 1) <= 6_000
    assert [row for row in whole.rows if row in cut.rows] == list(cut.rows), "the order of the page"
    assert "passed" in {row.together.word for row in whole.rows}
    assert "passed" not in {row.together.word for row in cut.rows}, (
        "there is more than enough that is not proven"
    )


def test_the_table_scrolls_by_itself_and_by_keyboard(conditional: Verdict) -> None:
    assert (
        '<div class="scroll" role="region" aria-label="Who found what, as a table" tabindex="0">'
        in html.render(conditional)
    )
