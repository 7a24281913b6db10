"""The console's last words fit the terminal and end with the one line that machines read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.report import console
from pytest_ovirt_release.verdict.model import Reason

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict


@pytest.mark.parametrize("name", ["go", "no_go", "invalid"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_but_for_the_last(name: str, width: int, request: pytest.FixtureRequest) -> None:
    verdict: Verdict = request.getfixturevalue(name)
    lines = console.lines(verdict, width)
    assert lines[-1].text == verdict.last_line()
    assert [line.text for line in lines[:-1] if len(line.text) > width] == []
    assert not any("\n" in line.text for line in lines)


def test_many_reasons_are_cut_and_said_to_be(no_go: Verdict) -> None:
    reasons = tuple(
        Reason(code="must-unproven", cell=f"c-{n}[x]", detail=f"{n}: no test ran for it") for n in range(40)
    )
    texts = [line.text for line in console.lines(no_go.model_copy(update={"reasons": reasons}))]
    assert sum("no test ran for it" in text for text in texts) == console.SHOWN
    assert "  … and 28 more in verdict.json" in texts


def test_what_is_the_same_for_many_cells_is_said_once(no_go: Verdict) -> None:
    reasons = tuple(
        Reason(code="must-unproven", cell=f"source-tag[c-{n}]", detail="not collected") for n in range(8)
    )
    texts = [line.text for line in console.lines(no_go.model_copy(update={"reasons": reasons}))]
    assert "  - source-tag (c-0, c-1, c-2, c-3 and 4 more): not collected" in texts


def test_the_finishing_command_can_be_pasted(no_go: Verdict) -> None:
    command = "pytest --release-target lab " + " ".join(
        f"'acceptance/test_{n}.py::test_it[a b]'" for n in range(6)
    )
    remark = Reason(code="finish", detail=command)
    texts = [line.text for line in console.lines(no_go.model_copy(update={"remarks": (remark,)}), 60)]
    start = texts.index("To finish, run") + 1
    pasted = []
    for text in texts[start:]:
        pasted.append(text.removesuffix("\\").strip())
        if not text.endswith("\\"):
            break
    assert " ".join(pasted) == command


def test_ascii_terminals_get_ascii(no_go: Verdict) -> None:
    for line in console.lines(no_go, ascii_only=True):
        assert line.text.isascii()


def test_the_verdict_line_has_the_verdicts_style(go: Verdict, no_go: Verdict) -> None:
    assert console.lines(go)[-1].style == "good"
    assert console.lines(no_go)[-1].style == "bad"


def test_hostile_texts_move_no_cursor(hostile: Verdict) -> None:
    text = "\n".join(line.text for line in console.lines(hostile, folder="reports/\x1b[31mx"))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text


def test_reports_are_named_with_their_folder(go: Verdict) -> None:
    texts = [line.text for line in console.lines(go, folder="reports/one")]
    assert "  reports/one/" in texts
    assert any("acceptance.html" in text and "verdict.json" in text for text in texts)
