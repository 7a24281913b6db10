"""The console's last words fit the terminal and end with the one line that machines read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.report import console
from pytest_ovirt_release.verdict.model import Reason

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict


@pytest.mark.parametrize("name", ["go", "no_go", "conditional", "invalid"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_but_for_the_last(name: str, width: int, request: pytest.FixtureRequest) -> None:
    verdict: Verdict = request.getfixturevalue(name)
    lines = console.lines(verdict, width)
    assert lines[-1].text == verdict.last_line()
    too_long = [line.text for line in lines[:-1] if len(line.text) > width]
    assert [text for text in too_long if len(text.split()) > 1] == [], "only a long word may stand out"
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


def said(verdict: Verdict, width: int = 400) -> list[str]:
    return [line.text for line in console.lines(verdict, width)]


def part(lines: list[str], title: str) -> list[str]:
    """Return the lines below a title."""
    start = next(n for n, line in enumerate(lines) if line.startswith(title)) + 1
    end = next(n for n, line in enumerate(lines[start:], start) if not line.startswith("  "))
    return lines[start:end]


def test_waivers_stand_under_the_table_each_with_what_became_of_it(conditional: Verdict) -> None:
    lines = said(conditional)
    shown = part(lines, "Waivers (the names of approvers are not authenticated)")
    statuses = [line.split(":")[0].strip(" !✗-") for line in shown]
    assert statuses == [
        "used", "used", "expired", "refused", "refused", "for another candidate", "unused", "unused",
    ]  # fmt: skip
    assert (
        "  ! used: hardware-late, for database-creation, node-runs-vm (node-2); until 2026-11-30 (expires soon), "
        "by Alex Example (Release manager): The second node" in shown[1]
    )
    assert any("Sam Example may not approve waivers" in line for line in shown)


def test_nothing_is_said_twice(conditional: Verdict) -> None:
    lines = said(conditional)
    for waiver in conditional.waivers:
        assert sum(waiver.id in line for line in lines) == 1
        same = sum(other.detail == waiver.detail for other in conditional.waivers)
        assert sum(waiver.detail in line for line in lines) == same
    for run in conditional.refused:
        assert sum(run.name in line for line in lines) == 1
    assert part(lines, "Why GO-CONDITIONAL") == ["  - 3 cells are not proven but waived: see Waivers"]


def test_what_reasons_say_of_a_refused_run_is_not_said_again(conditional: Verdict) -> None:
    run = conditional.refused[0].model_copy(update={"code": "altered"})
    detail = f"{run.name}: {run.detail}"
    invalid = conditional.model_copy(
        update={
            "reasons": (Reason(code="altered-run", detail=detail),),
            "remarks": (Reason(code="refused-altered", detail=detail),),
            "refused": (run,),
        }
    )
    assert sum(run.detail in line for line in said(invalid)) == 1


def test_a_waived_reason_without_its_waiver_is_still_said(conditional: Verdict) -> None:
    lines = said(conditional.model_copy(update={"waivers": (), "refused": ()}))
    assert any("Alex Example (Release manager) accepts it until 2026-12-31" in line for line in lines)
    assert any("nothing that it names stands in the way" in line for line in lines)
    assert any("is of another candidate" in line for line in lines)


def test_an_idle_waiver_says_when_it_expires_soon(conditional: Verdict) -> None:
    idle = next(w for w in conditional.waivers if w.status == "unused")
    soon = idle.model_copy(update={"expires_soon": True, "expires": "2026-11-25"})
    (line,) = part(said(conditional.model_copy(update={"waivers": (soon,)})), "Waivers")
    assert line.endswith("(and expires soon, on 2026-11-25)")


def test_waived_cells_say_so_in_the_table(conditional: Verdict) -> None:
    lines = said(conditional)
    row = {line.split()[1]: line for line in lines[1:14]}
    assert row["vm-on-nfs"].endswith("conflict (waived)")
    assert row["vm-on-nfs"].startswith("✗"), "a waiver changes no state"
    assert row["node-runs-vm"].endswith("1 blocked (waived), 1 passed")


def test_many_waivers_and_refused_runs_are_cut_and_said_to_be(huge: Verdict) -> None:
    lines = said(huge)
    assert f"  … and {len(huge.waivers) - console.SHOWN} more in verdict.json" in part(lines, "Waivers")
    assert f"  … and {len(huge.refused) - console.SHOWN} more in verdict.json" in part(
        lines, "Runs that were refused"
    )


def test_without_waivers_and_refused_runs_nothing_is_said_of_them(no_go: Verdict) -> None:
    assert not [line for line in said(no_go) if "aive" in line or "efused" in line]


def test_q_says_what_is_not_well_and_qq_the_last_line_alone(no_go: Verdict, go: Verdict) -> None:
    whole = console.lines(no_go)
    assert console.quieter(whole, 0) == whole
    quiet = console.quieter(whole, -1)
    assert not [line for line in quiet if "passed" in line.text.split() and line.style == "good"]
    assert [line for line in quiet if line.text.startswith("✗ vm-on-nfs")]
    assert console.quieter(whole, -2) == whole[-1:]
    assert console.quieter(console.lines(go), -1)[-1].text == go.last_line()
