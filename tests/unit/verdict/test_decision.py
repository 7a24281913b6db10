"""What a meeting may decide: a go only on a verdict that allows it and still stands; a no-go always."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from pytest_ovirt_release import schemas
from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.verdict.decision import Vote, record
from pytest_ovirt_release.verdict.recompute import recompute
from pytest_ovirt_release.verdict.serial import verdict_json
from tests.unit.verdict.made import NOW
from tests.unit.verdict.test_merge import CANDIDATES, fail_a, write_run

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.decision import Decision

GO = Vote(name="Ann", role="development", vote="go")
WAIVERS = f"""
schema = "ovirt-release-waivers/1"
page = "page-1"
[[waivers]]
id = "w1"
candidate = "{hashlib.sha256(CANDIDATES["rc1"]).hexdigest()}"
cells = ["a"]
accepts = "disproven"
reason = "known"
approver = "Ann"
approved = 2026-11-20
expires = 2026-11-30
"""


def judged(folder: Path, waivers: str = "") -> Path:
    """Write the verdict.json of a run, as the run itself does."""
    if waivers:
        (folder / "waivers.toml").write_text(waivers)
    (folder / "verdict.json").write_text(verdict_json(recompute(folder, NOW)))
    return folder


def decide(folder: Path, outcome: Any = "go", **changes: Any) -> Decision:
    asked: dict[str, Any] = {"votes": [GO], "minutes": "https://example.test/1", "reason": "", "now": NOW}
    return record(folder, outcome, **{**asked, **changes})


def test_a_go_is_bound_to_the_verdict_it_was_based_on(tmp_path: Path) -> None:
    folder = judged(write_run(tmp_path / "run"))
    made = decide(folder)
    assert made.based_on.sha256 == hashlib.sha256((folder / "verdict.json").read_bytes()).hexdigest()
    assert made.based_on.facts
    assert (made.based_on.facts.verdict, made.based_on.facts.rehearsal, made.votes) == ("GO", False, (GO,))
    Draft202012Validator(schemas.load("decision")).validate(json.loads(made.model_dump_json(by_alias=True)))


def no_end(maker: Any) -> None:
    maker.add("trouble", text="oh")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"spoil": fail_a}, "the verdict is NO-GO"),
        ({"spoil": no_end}, "the verdict is INCOMPLETE"),
        ({"page_name": "other", "rc": "rc1", "spoil": lambda m: m.add("mistake", text="x")}, "is INVALID"),
        ({"lab": True}, "REHEARSAL"),
    ],
)
def test_a_go_is_refused_on_everything_but_go(tmp_path: Path, made: dict[str, Any], said: str) -> None:
    folder = judged(write_run(tmp_path / "run", **made))
    with pytest.raises(ReleaseError, match=f"go is refused: .*{said}"):
        decide(folder)
    with pytest.raises(ReleaseError, match="a no-go needs a reason"):
        decide(folder, "no-go")
    assert decide(folder, "no-go", reason="we saw it").outcome == "no-go"


def test_a_go_needs_somebody_who_voted_for_it(tmp_path: Path) -> None:
    folder = judged(write_run(tmp_path / "run"))
    for votes in ([], [GO.model_copy(update={"vote": "abstain"})], [GO.model_copy(update={"vote": "no-go"})]):
        with pytest.raises(ReleaseError, match="nobody voted for it"):
            decide(folder, votes=votes)


def test_a_verdict_that_its_runs_do_not_give_is_no_ground_for_a_go(tmp_path: Path) -> None:
    folder = judged(write_run(tmp_path / "run", spoil=fail_a))
    good = judged(write_run(tmp_path / "good", "r1"))
    (folder / "verdict.json").write_bytes((good / "verdict.json").read_bytes())
    with pytest.raises(ReleaseError, match="is not what the runs beside it give"):
        decide(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"state": "failed"', '"state": "passed"'),
        ('"verdict": "NO-GO"', '"verdict": "GO"'),
        ('"schema"', '"x": 1, "schema"'),
    ],
)
def test_a_doctored_verdict_is_not_even_read(tmp_path: Path, old: str, new: str) -> None:
    folder = judged(write_run(tmp_path / "run", spoil=fail_a))
    path = folder / "verdict.json"
    path.write_text(path.read_text().replace(old, new).replace('"exit_code": 1,', '"exit_code": 0,'))
    with pytest.raises(ReleaseError, match="is no verdict that this program wrote"):
        decide(folder)
    assert decide(folder, "no-go", reason="somebody changed it").based_on.facts is None


def test_a_newer_verdict_is_refused_with_a_sentence(tmp_path: Path) -> None:
    folder = judged(write_run(tmp_path / "run"))
    path = folder / "verdict.json"
    path.write_text(path.read_text().replace("verdict/1", "verdict/2"))
    with pytest.raises(ReleaseError, match="this version reads 'ovirt-release-verdict/1'"):
        decide(folder)


def test_conditions_are_accepted_with_a_reason_and_only_while_they_hold(tmp_path: Path) -> None:
    folder = judged(write_run(tmp_path / "run", spoil=fail_a), WAIVERS)
    with pytest.raises(ReleaseError, match="GO-CONDITIONAL: say why"):
        decide(folder)
    facts = decide(folder, reason="Bob mends it next week").based_on.facts
    assert facts
    assert facts.verdict == "GO-CONDITIONAL"
    with pytest.raises(ReleaseError, match="and is NO-GO now: "):
        decide(folder, reason="Bob mends it next week", now=NOW + timedelta(days=9))
