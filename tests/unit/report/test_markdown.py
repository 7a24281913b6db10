"""The draft announcement says the verdict first and cannot be abused by the texts in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.report import markdown

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict


def test_rehearsal_stands_beside_the_verdict(go: Verdict) -> None:
    draft = markdown.render(go).splitlines()
    assert draft[2].startswith("**Verdict: GO (REHEARSAL).**")
    assert "Do not send this" in draft[4]
    assert draft[-1] == f"`{go.last_line()}`"


def test_it_names_signers_digests_gaps_and_what_is_not_proven(no_go: Verdict) -> None:
    draft = markdown.render(no_go)
    assert no_go.candidate is not None
    for expected in (
        no_go.candidate.sha256,
        no_go.signers[0].fingerprints[0],
        "owner ovirt-node, ETA 2011-12-09",
        "MUST `vm-on-nfs` (failed)",
    ):
        assert expected in draft


def test_a_live_verdict_that_is_not_go_says_not_to_announce(no_go: Verdict) -> None:
    live = no_go.model_copy(update={"rehearsal": False})
    assert "must not be announced" in markdown.render(live)


def test_every_table_row_has_as_many_cells_as_its_header(hostile: Verdict) -> None:
    width = 0
    for line in markdown.render(hostile).splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = line.replace("\\|", "").count("|")
        width = width or cells
        assert cells == width


def test_hostile_texts_stay_texts(hostile: Verdict) -> None:
    # What stands between the same number of backticks is code, where nothing else means anything.
    draft = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", markdown.render(hostile).replace("\\`", ""))
    assert "<script" not in draft.replace("\\<", "")
    assert "](" not in draft.replace("\\]", "")
    assert "\u202e" not in draft


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("# head", "\\# head"),
        ("1. first", "1\\. first"),
        ("3.0.0", "3.0.0"),
        ("- item", "\\- item"),
        ("a | b", "a \\| b"),
        ("two\nlines", "two lines"),
        ("http://x", "http\\://x"),
    ],
)
def test_block_and_inline_marks_are_escaped(text: str, escaped: str) -> None:
    assert markdown.escape(text) == escaped


def test_code_with_backticks_keeps_them() -> None:
    assert markdown.code("a `b` c") == "``a `b` c``"
    assert markdown.code("`b`") == "`` `b` ``"


def test_waivers_that_were_used_are_announced(conditional: Verdict) -> None:
    draft = markdown.render(conditional)
    section = draft.split("## Waivers\n")[1].split("\n## ")[0]
    assert "are not authenticated" in section
    assert (
        "- `database-creation`, `node-runs-vm` (node-2): accepted by Alex Example (Release manager) "
        "until 2026-11-30 (expires soon), waiver `hardware-late`: The second node" in section
    )
    for waiver in conditional.waivers:
        assert draft.count(f"`{waiver.id}`") == (waiver.status == "used")
    assert "- MUST `vm-on-nfs` (conflict, waived): " in draft
    assert "conflict (waived)" in draft


def test_refused_runs_are_announced(conditional: Verdict) -> None:
    draft = markdown.render(conditional)
    assert "These runs were refused and do not count:" in draft
    assert "- `20261120T080901Z-55aa.bundle.tar.gz` (run `20261120T080901Z-55aa`): it is of another" in draft
    for run in conditional.runs:
        assert run.digest in draft


def test_without_waivers_and_refused_runs_nothing_is_said_of_them(no_go: Verdict) -> None:
    draft = markdown.render(no_go)
    assert "aive" not in draft
    assert "efused" not in draft
