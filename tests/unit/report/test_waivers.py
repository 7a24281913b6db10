"""acceptance.html tells of every waiver and refused run: what became of it, in words, and who stands for it."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.report import html, said, words
from pytest_ovirt_release.report.waivers import Waivers
from pytest_ovirt_release.verdict.model import Reason

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict


def section(verdict: Verdict, name: str) -> str:
    return html.render(verdict).split(f'<h2 id="{name}">')[1].split("</section>")[0]


def plain(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def rows(verdict: Verdict) -> list[str]:
    return [plain(row) for row in section(verdict, "waivers").split("<tr id=")[1:]]


def test_every_waiver_has_a_row_with_all_that_is_known_of_it(conditional: Verdict) -> None:
    found = rows(conditional)
    assert len(found) == len(conditional.waivers)
    for waiver in conditional.waivers:
        row = next(row for row in found if f"> {waiver.id} " in row)
        mark = words.WAIVERS[waiver.status]
        for expected in (
            f"{mark.symbol} {mark.word}",
            waiver.reason,
            waiver.detail,
            waiver.approver,
            waiver.role or "not listed on the release page",
            "name not authenticated",
            f"Approved {waiver.approved}",
            f"Expires {waiver.expires}",
            f"Accepts: {words.ACCEPTS[waiver.accepts]}",
        ):
            assert expected in row
        assert ("! expires soon" in row) == waiver.expires_soon
        assert ("Used for" in row) == (waiver.status == "used")


def test_it_says_plainly_that_names_are_not_authenticated(conditional: Verdict) -> None:
    assert "The names of approvers are not authenticated" in plain(section(conditional, "waivers"))


def test_the_file_of_the_waivers_is_named_by_its_digest(conditional: Verdict) -> None:
    assert conditional.waivers_sha256
    assert conditional.waivers_sha256 in section(conditional, "waivers")


def test_used_waivers_are_named_at_their_cells(conditional: Verdict) -> None:
    page = html.render(conditional)
    article = page.split('<article id="r-vm-on-nfs"')[1].split("</article>")[0]
    for place in (article, section(conditional, "not-proven")):
        text = plain(place)
        assert "✗ conflict ! waived" in text
        assert "Waived: Alex Example (Release manager) accepts it until 2026-12-31" in text
    assert '<a href="#w-1">waiver nfs-on-robins-machine</a>' in article
    for requirement in conditional.requirements:
        if not any(cell.waiver for cell in requirement.cells):
            assert "Waived" not in page.split(f'<article id="r-{requirement.id}"')[1].split("</article>")[0]


def test_a_waived_requirement_does_not_look_proven(conditional: Verdict) -> None:
    glance = section(conditional, "requirements")
    assert "0 of 1 ✗ conflict ! waived" in plain(glance)
    assert "1 of 2 ! 1 blocked ! 1 waived ✓ 1 passed" in plain(glance)


def test_refused_runs_have_a_row(conditional: Verdict) -> None:
    (run,) = conditional.refused
    text = plain(section(conditional, "refused"))
    for expected in (run.name, run.run or "", run.digest, run.code, run.detail, "✗ refused"):
        assert expected in text


def test_a_refused_run_of_which_nothing_is_known(conditional: Verdict) -> None:
    unknown = conditional.refused[0].model_copy(update={"run": None, "digest": ""})
    text = plain(section(conditional.model_copy(update={"refused": (unknown,)}), "refused"))
    assert f"{unknown.name} not known ✗ refused" in text


def test_both_are_reached_from_the_top(conditional: Verdict, no_go: Verdict) -> None:
    start = html.render(conditional).split("</nav>")[0]
    assert "2 used, 1 expired, 2 refused, 1 for another candidate, 2 unused" in start
    assert '<a href="#waivers">Waivers (8)</a>' in start
    assert '<a href="#refused">Refused runs (1)</a>' in start
    assert '<a href="#testers">Testers</a>' in start
    for name in ("#waivers", "#refused", "#testers"):
        assert name not in html.render(no_go)


def test_remarks_do_not_repeat_what_has_its_own_section(conditional: Verdict) -> None:
    text = plain(section(conditional, "remarks"))
    assert "the last line of gw1.jsonl was cut off" in text
    assert not [w.id for w in conditional.waivers if w.id in text]
    assert conditional.refused[0].name not in text


def test_waivers_stand_in_the_order_of_their_status(conditional: Verdict) -> None:
    shuffled = conditional.model_copy(update={"waivers": tuple(reversed(conditional.waivers))})
    order = list(words.WAIVERS)
    ranks = [order.index(told.waiver.status) for told in Waivers(shuffled).told]
    assert ranks == sorted(ranks)
    assert [told.number for told in Waivers(shuffled).told] == list(range(1, len(ranks) + 1))


def test_cells_of_many_requirements_are_folded(conditional: Verdict) -> None:
    many = conditional.waivers[0].model_copy(update={"cells": tuple(f"c-{n}" for n in range(20))})
    text = section(conditional.model_copy(update={"waivers": (many,)}), "waivers")
    assert "<summary>14 more requirements</summary>" in text
    assert all(f"c-{n}<" in text for n in range(20))


@pytest.mark.parametrize(
    ("cells", "listed"),
    [
        (("a",), "a"),
        (("a[x]", "b", "a[y]"), "a (x, y), b"),
        (tuple("abcde"), "a, b, c, d, e"),
        (("a", "b", "c", "d", "e[1]", "e[2]", "f"), "a, b, c, d and 3 more"),
    ],
)
def test_cells_are_listed_by_requirement(cells: tuple[str, ...], listed: str) -> None:
    assert said.listed(cells) == listed


def test_one_waived_cell_is_one(conditional: Verdict) -> None:
    only = tuple(r for r in conditional.reasons if r.cell == "vm-on-nfs")
    other = Reason(code="uncontrolled", cell="ssl-setup", detail="nobody has seen it fail")
    reasons = said.reasons(conditional.model_copy(update={"reasons": (*only, other)}))
    assert [r.detail for r in reasons] == [
        "nobody has seen it fail",
        "1 cell is not proven but waived: see Waivers",
    ]
