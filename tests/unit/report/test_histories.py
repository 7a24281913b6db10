"""State histories become bars that are true to scale, and nothing else becomes one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.report import histories, html
from pytest_ovirt_release.report.histories import END, MOST_BARS, MOST_STATES, WIDTH

if TYPE_CHECKING:
    from pytest_ovirt_release.report.histories import History
    from pytest_ovirt_release.verdict.model import Verdict


def with_states(verdict: Verdict, states: object, *, copies: int = 1) -> Verdict:
    """Return a verdict whose only history is this one, however often."""
    data = verdict.model_dump(by_alias=True)
    cells: list[dict[str, Any]] = [c for r in data["requirements"] for c in r["cells"]]
    for cell in cells:
        for evidence in cell["evidence"]:
            evidence["value"] = None
    first = cells[0]["evidence"][0]
    cells[0]["evidence"] = [{**first, "name": "up", "value": {"states": states}} for _ in range(copies)]
    return type(verdict).model_validate(data)


def bars(verdict: Verdict) -> list[History]:
    return [history for group in histories.groups(verdict) for history in group.histories]


def test_hosts_storage_domains_and_vms_are_told_apart_and_named(go: Verdict) -> None:
    found = {group.title: {history.name for history in group.histories} for group in histories.groups(go)}
    assert found["Hosts"] == {"node-1", "node-2"}
    assert found["Storage domains"] == {"rel-3f9a-nfs", "rel-3f9a-local"}
    assert "rel-3f9a-vm-on-nfs" in found["Virtual machines"]
    assert list(found) == ["Hosts", "Storage domains", "Virtual machines"]


def test_the_page_draws_each_and_says_it_in_words(go: Verdict) -> None:
    section = html.render(go).split('<h2 id="states">')[1].split("</section>")[0]
    assert section.count("<svg") == len(bars(go))
    assert "wait_for_launch 0.0 s → powering_up 0.1 s → up 0.9 s → down 3.4 s" in section
    assert "<title>up: 0.9 s to 3.4 s</title>" in section


@given(st.lists(st.integers(0, 36_000), min_size=1, max_size=MOST_STATES))
def test_bars_are_true_to_scale_and_stay_inside(go: Verdict, tenths: list[int]) -> None:
    states = [f"state {tenth / 10:.1f} s" for tenth in sorted(tenths)]
    (group,) = histories.groups(with_states(go, states))
    (history,) = group.histories
    pieces = group.pieces(history)
    assert len(pieces) == len(states)
    assert [piece.last for piece in pieces] == [False] * (len(states) - 1) + [True]
    for seen, piece in zip(history.states, pieces, strict=True):
        share = seen.at / group.seconds if group.seconds else 0
        assert piece.x == pytest.approx(share * (WIDTH - END), abs=0.1)
        assert 0 <= piece.x <= piece.x + piece.width <= WIDTH + 0.2
    assert all(one.x + one.width == pytest.approx(two.x, abs=0.2) for one, two in pairwise(pieces))


@pytest.mark.parametrize(
    "states",
    [
        [], "up 0.1 s", {"up": 1}, ["up"], ["up 0.1"], [7], [None], ["up 1 s", "nonsense"], ["up nan s"], ["up -1 s"],
        ["up 2.0 s", "down 1.0 s"], ["up 99999999999999999999 s"], ["x" * 200 + " 1 s"], [["up 1 s"]],
    ],
)  # fmt: skip
def test_what_is_no_history_is_no_bar(go: Verdict, states: object) -> None:
    assert bars(with_states(go, states)) == []


def test_what_flaps_is_cut_and_says_so(go: Verdict) -> None:
    (history,) = bars(with_states(go, [f"s{n} {n}.0 s" for n in range(MOST_STATES + 5)]))
    assert len(history.states) == MOST_STATES
    assert history.says.endswith("and 5 more")


def test_too_many_bars_are_left_out_and_counted(go: Verdict) -> None:
    verdict = with_states(go, ["up 1.0 s"], copies=MOST_BARS + 7)
    (group,) = histories.groups(verdict)
    assert (len(group.histories), group.left_out) == (MOST_BARS, 7)
    assert "7 more in verdict.json" in html.render(verdict)


def test_a_hostile_state_is_a_text(go: Verdict) -> None:
    page = html.render(with_states(go, ["</title><script>x</script>\u202e 0.0 s", "up 1.0 s"]))
    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
