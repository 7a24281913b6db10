"""acceptance.html says everything, to everybody, whatever texts it was given."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.report import html, words

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict

MEGABYTE = 1_000_000


class Outline(HTMLParser):
    """Reads a page strictly enough to see unclosed elements, doubled ids and dangling links."""

    VOID = frozenset({"meta", "br", "col", "link", "hr", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labels: list[str] = []
        self.text: list[str] = []
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert not [name for name in found if name.startswith("on")], "a script in an attribute"
        self.tags.append(tag)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if "href" in found else []
        self.labels += [found["aria-labelledby"] or ""] if "aria-labelledby" in found else []
        if self.open and self.open[-1] == "table":
            self.tables += tag == "caption"
            assert self.tables == self.tags.count("table"), "a table without a caption"
        if tag == "th":
            assert found.get("scope") in {"row", "col"}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def outline(verdict: Verdict) -> Outline:
    parser = Outline()
    parser.feed(html.render(verdict))
    parser.close()
    return parser


@pytest.mark.parametrize("name", ["go", "no_go", "conditional", "invalid", "hostile"])
def test_every_page_is_well_formed_static_and_complete_in_itself(
    name: str, request: pytest.FixtureRequest
) -> None:
    page = outline(request.getfixturevalue(name))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {"script", "link", "img", "iframe", "object", "form"}.isdisjoint(page.tags)
    inside = [link[1:] for link in page.links if link.startswith("#")]
    assert set(inside) | set(page.labels) <= set(page.ids)
    assert {"header", "main", "nav", "footer"} <= set(page.tags)


def test_the_first_lines_answer_what_and_whether(no_go: Verdict) -> None:
    text = " ".join(" ".join(outline(no_go).text).split())
    start = text[:1600]
    for expected in (
        "REHEARSAL",
        "never about an oVirt release",
        "oVirt 3.0 rc1",
        "NO-GO (REHEARSAL)",
        "target lab",
    ):
        assert expected in start
    assert "no processor ever ran the guest" in start
    assert "node_runs_vm" in start, "the command that finishes the job"


def test_musts_stand_before_shoulds(no_go: Verdict) -> None:
    page = html.render(no_go)
    order = re.findall(r'<article id="r-([^"]+)"', page)
    levels = {r.id: r.level for r in no_go.requirements}
    assert [levels[i] for i in order] == sorted((levels[i] for i in order), key=["must", "should"].index)
    assert len(order) == len(no_go.requirements)


def test_every_cell_is_shown_with_symbol_and_word(no_go: Verdict) -> None:
    page = html.render(no_go)
    for requirement in no_go.requirements:
        article = page.split(f'<article id="r-{requirement.id}"')[1].split("</article>")[0]
        for cell in requirement.cells:
            mark = words.STATES[cell.state]
            assert f"{mark.symbol} {mark.word}" in article
            for evidence in cell.evidence:
                assert evidence.sha256 is None or evidence.sha256 in article


def test_runs_are_named_by_their_digests(conditional: Verdict) -> None:
    section = html.render(conditional).split('<h2 id="runs">')[1].split("</section>")[0]
    for run in conditional.runs:
        assert run.digest in section


def test_the_candidates_files_are_named_by_their_digests(go: Verdict) -> None:
    section = html.render(go).split('<h2 id="candidate">')[1].split("</section>")[0]
    assert go.candidate is not None
    assert len(go.candidate.files) > 1
    for file in go.candidate.files:
        row = section.split(f'<th scope="row">{file.name}</th>')[1].split("</tr>")[0]
        assert file.sha256 in row


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("open", '! open</span> <span class="small">its ETA, 2011-12-09, has not come yet'),
        ("overdue", '✗ overdue</span> <span class="small">its ETA, 2011-12-09, has passed'),
        ("closable", '✓ closable</span> <span class="small">probed and found closed; its ETA was 2011-12-09'),
    ],
)
def test_a_gap_says_its_status_with_its_eta(no_go: Verdict, status: str, said: str) -> None:
    gap = no_go.gaps[0].model_copy(update={"status": status})
    assert said in html.render(no_go.model_copy(update={"gaps": (gap,)}))


def test_without_a_rehearsal_nothing_says_so(go: Verdict) -> None:
    live = go.model_copy(update={"rehearsal": False, "runs": ()})
    assert "REHEARSAL" not in html.render(live)


def test_hostile_texts_are_shown_and_do_nothing(hostile: Verdict) -> None:
    page = html.render(hostile)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert "\\u202e" in page
    assert "\x07" not in page
    assert not [link for link in outline(hostile).links if link.lower().startswith("javascript")]
    assert "49" not in "".join(re.findall(r"\{\{7\*7\}\}|x49x", page)), (
        "a template inside a text is not filled in"
    )
    assert "{{7*7}}" in page


def test_two_thousand_cells_fit_three_megabytes(huge: Verdict) -> None:
    page = html.render(huge)
    assert len(page.encode()) <= 3 * MEGABYTE
    assert page.count('scope="row"') > 2000
    assert page.count('<tr id="w-') == len(huge.waivers)
    assert "rows are left out: verdict.json has every attempt" in page


def test_a_file_outside_the_runs_folder_is_never_linked(go: Verdict) -> None:
    data = go.model_dump(by_alias=True)
    evil = ("../../etc/passwd", "/etc/passwd", "javascript:alert(1)", "//host/share", "a\\b")
    cells = data["requirements"][1]["cells"]
    for cell, path in zip(cells, evil, strict=False):
        for evidence in cell["evidence"]:
            evidence["file"] = path
    links = outline(type(go).model_validate(data)).links
    assert not set(links) & set(evil)


def test_merged_runs_do_not_link_into_folders_that_are_not_here(go: Verdict) -> None:
    other = go.runs[0].model_copy(update={"id": "another"})
    merged = go.model_copy(update={"runs": (*go.runs, other)})
    assert any(link.startswith("evidence/") for link in outline(go).links)
    assert not any(link.startswith("evidence/") for link in outline(merged).links)
