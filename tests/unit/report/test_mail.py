"""The mail says what announcement.md says, in plain text that nobody's words can break out of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.report import mail

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict

ALL = ["go", "no_go", "conditional", "invalid", "hostile"]


@pytest.mark.parametrize("name", ALL)
def test_lines_fit_a_mail_and_the_subject_is_one_line(name: str, request: pytest.FixtureRequest) -> None:
    subject, empty, *rest = mail.render(request.getfixturevalue(name)).splitlines()
    assert subject.startswith("Subject: [draft] ")
    assert empty == ""
    wrapped = [line for line in rest[:-1] if len(line) > mail.WIDTH]
    assert [line for line in wrapped if len(line.split()) > 2] == [], "only a long word may stand out"


def test_the_verdict_comes_first_and_last(no_go: Verdict) -> None:
    draft = mail.render(no_go).splitlines()
    assert draft[0].endswith("NO-GO (REHEARSAL)")
    assert draft[-1] == no_go.last_line()


def test_a_rehearsal_and_a_live_no_go_say_not_to_be_sent(go: Verdict, no_go: Verdict) -> None:
    assert "*** REHEARSAL ***" in mail.render(go)
    live = no_go.model_copy(update={"rehearsal": False})
    assert "*** NOT TO BE SENT ***" in mail.render(live)
    assert "***" not in mail.render(go.model_copy(update={"rehearsal": False}))


def test_it_has_everything_that_the_markdown_has(no_go: Verdict, conditional: Verdict) -> None:
    for verdict in (no_go, conditional):
        draft = " ".join(mail.render(verdict).split())
        assert verdict.candidate is not None
        assert verdict.page is not None
        for expected in (
            verdict.page.uri,
            verdict.page.sha256,
            verdict.candidate.sha256,
            *(f.sha256 for f in verdict.candidate.files),
            *(c["commit"] for c in verdict.candidate.components),
            *(f for s in verdict.signers for f in s.fingerprints),
            *(r.title for r in verdict.requirements),
            *(g.title for g in verdict.gaps),
            *(w.id for w in verdict.waivers if w.status == "used"),
            *(run.name for run in verdict.refused),
        ):
            assert expected in draft


def test_hostile_texts_make_no_line_of_their_own(hostile: Verdict) -> None:
    draft = mail.render(hostile)
    assert "\u202e" not in draft
    assert "\x07" not in draft
    # After the head, every line is a title, its rule, an item, the rest of one, or the last line.
    titles = {
        line
        for line, below in zip(draft.splitlines(), draft.splitlines()[1:], strict=False)
        if set(below) == {"-"}
    }
    assert titles == {
        "Why", "Accepted without a proof (waivers)", "What was proven", "What was not proven", "Known gaps",
        "Who signs", "The candidate, exactly", "How this was judged",
    }  # fmt: skip


def test_a_page_address_that_is_no_web_address_is_left_out(go: Verdict) -> None:
    assert go.page is not None
    bad = go.model_copy(update={"page": go.page.model_copy(update={"uri": "javascript:alert(1)"})})
    assert "javascript" not in mail.render(bad)
