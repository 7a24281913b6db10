"""Roads to a wrong GO, or to a gate that breaks, which somebody found: each is closed and stays closed."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pytest_ovirt_release import cli
from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.verdict.bundle import Altered, read_bundle
from pytest_ovirt_release.verdict.decide import decide
from pytest_ovirt_release.verdict.decision import Vote, record
from pytest_ovirt_release.verdict.journals import read_run
from pytest_ovirt_release.verdict.merge import Chosen, merge
from pytest_ovirt_release.verdict.recompute import recompute
from pytest_ovirt_release.verdict.serial import verdict_json
from tests.unit.verdict.made import NOW, RunMaker, inputs, page, requirement
from tests.unit.verdict.test_journals import OPENED, write
from tests.unit.verdict.test_merge import fail_a, write_bundle, write_run

if TYPE_CHECKING:
    from collections.abc import Callable

ONLY = page(requirement("a"))


def run(*words: object, **options: Any) -> Any:
    return CliRunner(**options).invoke(cli.main, [str(w) for w in words])


def ran(run_id: str, outcome: str = "passed", **fields: Any) -> RunMaker:
    made = RunMaker(ONLY, run_id, tester="bob")
    made.collect("t.py::test_a", "a")
    made.ran("t.py::test_a", outcome, **fields)
    return made


@pytest.mark.parametrize("spoil", ["cut", "interrupted", "trouble"])
def test_what_passed_in_a_run_that_did_not_end_well_takes_no_failure_away(spoil: str) -> None:
    failed, passed = ran("r1", "failed").end(1), ran("r2")
    unsound = passed.cut() if spoil == "cut" else passed.add(spoil, text="oh").end()
    assert decide(inputs(ONLY), [failed, unsound], NOW).verdict == "NO-GO"
    other = replace(ran("r3").end(), id="r3")
    assert decide(inputs(ONLY), [failed, unsound, other], NOW).verdict == "GO"


def test_what_passed_in_a_run_that_did_not_end_well_needs_its_waiver_said(tmp_path: Path) -> None:
    two = page(requirement("a"), requirement("b"))
    sound = RunMaker(two, "r1", tester="ann")
    sound.collect("t.py::test_a", "a")
    sound.ran("t.py::test_a")
    unsound = RunMaker(two, "r2", tester="bob").all_pass().cut()
    verdict = decide(inputs(two), [sound.end(), unsound], NOW)
    assert (verdict.verdict, verdict.requirements[1].cells[0].state) == ("INCOMPLETE", "missing")
    assert verdict.requirements[1].cells[0].detail == "passed, but run r2 did not end well"


def test_an_earlier_pass_does_not_take_a_crash_away() -> None:
    crashed = RunMaker(ONLY, "r2", tester="bob")
    crashed.collect("t.py::test_a", "a")
    crashed.add("crash", nodeid="t.py::test_a")
    assert decide(inputs(ONLY), [ran("r1").end(), crashed.end(1)], NOW).verdict == "INCOMPLETE"
    assert decide(inputs(ONLY), [crashed.end(1), ran("r3").end()], NOW).verdict == "GO"


def test_objects_left_of_no_tested_cell_are_told() -> None:
    made = ran("r1").add("intent", entry="e", what="vm", name="rel-x", cells=["zzz"])
    verdict = decide(inputs(ONLY), [made.end()], NOW)
    assert (verdict.verdict, [r.code for r in verdict.reasons]) == ("INCOMPLETE", ["left-behind"])


@pytest.mark.parametrize("code", [2, 3, 4, -9])
def test_a_run_cannot_be_complete_with_a_code_of_pytest_that_says_otherwise(code: int) -> None:
    verdict = decide(inputs(ONLY), [ran("r1").end(code)], NOW)
    assert [r.code for r in verdict.reasons] == ["run-not-finished"]


def test_a_test_for_what_the_page_does_not_ask_is_invalid() -> None:
    made = ran("r1")
    made.collect("t.py::test_z", "zz")
    made.ran("t.py::test_z", "failed")
    verdict = decide(inputs(ONLY), [made.end(1)], NOW)
    assert (verdict.verdict, verdict.reasons[0].code) == ("INVALID", "bad-suite")


def test_a_should_without_any_value_does_not_block() -> None:
    given = page(requirement("a"), requirement("d", level="should", axis="distribution"))
    assert decide(inputs(given), [RunMaker(given).all_pass().end()], NOW).verdict == "GO"


@pytest.mark.parametrize("text", ["rubbish", "2026-11-22T24:00:00", "5", "9999-12-31T23:59:59-14:00"])
def test_a_date_that_is_none_is_an_unknown_milestone(text: str) -> None:
    milestone = {"id": "m", "title": "M", "due": "2026-01-01", "judged_by": "tag-date", "component": "vdsm"}
    given = page(requirement("a"), timeline=[milestone])
    made = RunMaker(given).all_pass().add("fact", key="tag-date:vdsm", value=text)
    assert decide(inputs(given), [made.end()], NOW).timeline[0].status == "unknown"


BAD_RECORDS = {
    "another requirement's cell": {"kind": "collected", "nodeid": "t", "requirement": "a", "cell": "b"},
    "a cell without requirement": {"kind": "collected", "nodeid": "t", "cell": "a"},
    "endless seconds": {
        "kind": "report",
        "nodeid": "t",
        "when": "call",
        "outcome": "passed",
        "duration": 1e308,
    },
    "a run that is a path": {**OPENED, "run": "../../etc/x"},
    "a run that is an escape": {**OPENED, "run": "\x1b[31mred"},
    "a run without a name": {**OPENED, "run": ""},
    "a run of many letters": {**OPENED, "run": "x" * 300},
}


@pytest.mark.parametrize("made", BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_that_could_mislead_is_damage(tmp_path: Path, made: dict[str, Any]) -> None:
    write(tmp_path, OPENED, made)
    assert read_run(tmp_path).damaged[0].startswith("journal/controller.jsonl:2: ")


def test_two_digests_of_one_file_are_told(tmp_path: Path) -> None:
    evidence = {"kind": "evidence", "name": "n", "file": "evidence/x"}
    write(tmp_path, OPENED, evidence, {**evidence, "sha256": "0" * 64})
    assert read_run(tmp_path).damaged.count("evidence/x: is missing") == 2


def test_a_journal_of_nothing_is_told_in_a_few_sentences(tmp_path: Path) -> None:
    path = write(tmp_path, OPENED)
    path.write_bytes(path.read_bytes() + b"\n" * 2_000_000)
    assert len(read_run(tmp_path).damaged) < 30


def archive(path: Path, add: Callable[[tarfile.TarFile], None]) -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        add(tar)
    return path


def header(kind: bytes, size: int) -> tarfile.TarInfo:
    made = tarfile.TarInfo("manifest.json")
    made.type, made.size = kind, size
    return made


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE, tarfile.SOLARIS_XHDTYPE]
)
def test_headers_that_unfold_are_refused_before_they_do(tmp_path: Path, kind: bytes) -> None:
    def add(tar: tarfile.TarFile) -> None:
        for _ in range(3000):
            tar.addfile(header(kind, 512), io.BytesIO(bytes(512)))

    with pytest.raises(Altered, match="is not a regular file"):
        read_bundle(archive(tmp_path / "x", add))


@pytest.mark.parametrize("tail", [gzip.compress(b"more", mtime=0), b"garbage"])
def test_what_follows_a_bundle_is_told(tmp_path: Path, tail: bytes) -> None:
    packed = write_bundle(write_run(tmp_path / "run"), tmp_path / "x")
    packed.write_bytes(packed.read_bytes() + tail)
    with pytest.raises(Altered):
        read_bundle(packed)


def test_an_archive_that_promises_too_much_is_refused_by_its_manifest(tmp_path: Path) -> None:
    files = {f"evidence/{n}": {"sha256": "0" * 64, "size": 16 * 1024 * 1024} for n in range(50)}
    data = json.dumps({"schema": "ovirt-release-bundle/1", "files": files}).encode()
    path = archive(
        tmp_path / "x", lambda tar: tar.addfile(header(tarfile.REGTYPE, len(data)), io.BytesIO(data))
    )
    with pytest.raises(Altered, match="would come out of it"):
        read_bundle(path)


def test_a_bundle_is_not_made_of_what_no_merge_takes(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (folder / "candidate.toml").write_text("changed")
    shown = run("bundle", folder, "--out", tmp_path / "x")
    assert (shown.exit_code, "candidate.toml: is not the one that it was run with" in shown.stderr) == (
        2,
        True,
    )


def test_a_verdict_of_the_future_is_no_ground_for_a_go(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    later = NOW.replace(year=2099)
    (folder / "verdict.json").write_text(verdict_json(recompute(folder, later)))
    vote = Vote(name="Ann", role="development", vote="go")
    with pytest.raises(ReleaseError, match="a moment that has not come"):
        record(folder, "go", votes=[vote], minutes="x", reason="", now=NOW)


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_moment_too_far_away_is_a_sentence(tmp_path: Path, moment: str) -> None:
    shown = run("verdict", write_run(tmp_path / "run"), "--as-of", moment)
    assert (shown.exit_code, "is too far away" in shown.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--minutes", "--reason", "--vote"])
def test_a_text_that_is_not_utf_8_is_a_sentence(tmp_path: Path, option: str) -> None:
    words = {"--minutes": "https://example.test", "--reason": "r", "--vote": "Ann:dev:go"} | {
        option: "\udcff:a:go"
    }
    given = [word for pair in words.items() for word in pair]
    shown = run("decide", tmp_path, "go", *given)
    assert (shown.exit_code, f"{option}: the text is not UTF-8" in shown.stderr) == (2, True)


def test_no_command_sends_an_escape_to_the_terminal(tmp_path: Path) -> None:
    def evil(maker: RunMaker) -> None:
        fail_a(maker)
        for made in maker.records:
            if made.get("message"):
                made["message"] = "\x1b]0;owned\x07"

    good, bad = write_run(tmp_path / "good"), write_run(tmp_path / "bad", "r2", spoil=evil)
    for folder in (good, bad):
        run("merge", folder, "--out", folder.with_name(f"{folder.name}-out"), "--as-of", NOW.isoformat())
    shown = run("diff", tmp_path / "good-out", tmp_path / "bad-out")
    assert "\\u001b" in shown.output
    assert "\x1b" not in shown.output
    broken = tmp_path / "good-out" / "verdict.json"
    broken.write_text(broken.read_text().replace('"schema"', '"\\u001b[31m": 1, "schema"', 1))
    shown = run("diff", tmp_path / "good-out", tmp_path / "bad-out")
    assert (shown.exit_code, "\x1b" in shown.output) == (2, False)


def test_a_terminal_without_unicode_shows_the_verdict_all_the_same(tmp_path: Path) -> None:
    shown = run("verdict", write_run(tmp_path / "run"), "--as-of", NOW.isoformat(), charset="latin-1")
    assert shown.exit_code == 0
    assert "+ a" in shown.output


def test_an_axis_and_a_suite_of_any_size_are_no_burden(tmp_path: Path) -> None:
    def swell(maker: RunMaker) -> None:
        maker.records[0]["axes"]["component"] += [f"c{n}" for n in range(2000)]
        maker.records[0]["suite"] |= {f"s{n}": ["t"] for n in range(2000)}

    folder = write_run(tmp_path / "run", spoil=swell)
    assert merge([folder], Chosen(), as_of=NOW).verdict.verdict == "GO"
