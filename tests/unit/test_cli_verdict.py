"""The commands that judge, as a release manager types them: exit codes, sentences, and nothing half written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pytest_ovirt_release import cli
from pytest_ovirt_release.record import run_folder
from pytest_ovirt_release.verdict.bundle import read_bundle
from pytest_ovirt_release.verdict.contents import read_folder
from pytest_ovirt_release.verdict.model import Verdict
from tests.unit.verdict.test_merge import fail_a, write_bundle, write_run

if TYPE_CHECKING:
    from click.testing import Result

AS_OF = "2026-11-22T12:00:00Z"


def run(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(w) for w in words])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_run(tmp_path / "good")


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return write_run(tmp_path / "bad", "r2", tester="bob", spoil=fail_a)


def test_a_merge_leaves_a_folder_that_gives_the_same_again(tmp_path: Path, good: Path, bad: Path) -> None:
    packed = write_bundle(bad, tmp_path / "bob.bundle.tar.gz")
    out = tmp_path / "merged"
    shown = run("merge", good, packed, "--as-of", AS_OF, "--out", out)
    assert shown.exit_code == 1
    assert shown.output.splitlines()[-1].startswith("oVirt 9.9 rc1: NO-GO")
    assert {p.name for p in out.iterdir()} == {
        "verdict.json", "acceptance.html", "announcement.md", "junit.xml", "bundles",
    }  # fmt: skip
    again = run("merge", out, "--as-of", AS_OF, "--json")
    assert again.stdout == (out / "verdict.json").read_text()
    bundles = {read_bundle(p).digest() for p in (out / "bundles").iterdir()}
    assert bundles == {read_folder(good).digest(), read_folder(bad).digest()}


def test_a_merge_says_what_changed_since_the_verdict_before(tmp_path: Path, good: Path, bad: Path) -> None:
    old, out = tmp_path / "old", tmp_path / "new"
    run("merge", bad, "--as-of", AS_OF, "--out", old)
    shown = run("merge", good, "--as-of", AS_OF, "--previous", old, "--out", out)
    assert "✓ fixed</span>" in (out / "acceptance.html").read_text(encoding="utf-8")
    again = run("merge", good, "--as-of", AS_OF, "--out", tmp_path / "alone")
    assert shown.exit_code == again.exit_code
    assert (out / "verdict.json").read_bytes() == (tmp_path / "alone" / "verdict.json").read_bytes()
    assert 'id="before"' not in (tmp_path / "alone" / "acceptance.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "said"), [("good", "there is no such file"), ("nowhere", "there is no such file")]
)
def test_a_verdict_before_that_cannot_be_read_stops_the_merge(
    tmp_path: Path, good: Path, given: str, said: str
) -> None:
    shown = run("merge", good, "--previous", tmp_path / given, "--out", tmp_path / "out")
    assert (shown.exit_code, "Traceback" in shown.output) == (2, False)
    assert said in shown.stderr
    assert not (tmp_path / "out").exists()
    assert "--out" in run("merge", good, "--previous", tmp_path / given).stderr


def test_a_merge_never_overwrites_and_leaves_nothing_half_written(tmp_path: Path, good: Path) -> None:
    out = tmp_path / "merged"
    out.mkdir()
    shown = run("merge", good, "--out", out)
    assert (shown.exit_code, "is there already" in shown.stderr) == (2, True)
    (tmp_path / "file").write_text("x")
    shown = run("merge", good, "--out", tmp_path / "file" / "merged")
    assert (shown.exit_code, "cannot be written" in shown.stderr) == (2, True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "good", "merged"]


def test_a_bundle_lists_what_is_in_it_and_is_never_made_of_a_damaged_run(tmp_path: Path, good: Path) -> None:
    out = tmp_path / "ann.bundle.tar.gz"
    shown = run("bundle", good, "--out", out)
    assert shown.exit_code == 0
    assert [line.split()[-1] for line in shown.output.splitlines()[:-1]] == [
        "candidate.toml", "journal/controller.jsonl", "page.toml",
    ]  # fmt: skip
    assert run("bundle", good, "--out", out).exit_code == 2
    with (good / "journal" / "controller.jsonl").open("a") as file:
        file.write("junk\n")
    shown = run("bundle", good, "--out", tmp_path / "more")
    assert (shown.exit_code, "no merge would take it" in shown.stderr) == (2, True)
    assert not (tmp_path / "more").exists()


def test_a_bundle_leaves_the_target_file_at_home(tmp_path: Path, good: Path) -> None:
    (good / "target.toml").write_text("address")
    (good / "lab.log").write_text("log")
    run("bundle", good, "--out", tmp_path / "x")
    assert set(read_bundle(tmp_path / "x").files) == {
        "candidate.toml",
        "journal/controller.jsonl",
        "page.toml",
    }


def test_a_run_that_is_still_alive_is_not_bundled(tmp_path: Path, good: Path) -> None:
    with run_folder.not_running(good):
        shown = run("bundle", good, "--out", tmp_path / "x")
    assert (shown.exit_code, "is still alive" in shown.stderr) == (2, True)


def test_the_whole_way_to_a_decision(tmp_path: Path, good: Path) -> None:
    out = tmp_path / "merged"
    assert run("merge", good, "--out", out).exit_code == 0
    words = ("decide", out, "go", "--vote", "Ann: B:development:go", "--minutes", "https://example.test")
    shown = run(*words)
    assert shown.exit_code == 0, shown.output
    made = json.loads((out / "decision.json").read_text())
    assert made["votes"] == [{"name": "Ann: B", "role": "development", "vote": "go"}]
    shown = run(*words)
    assert (shown.exit_code, "it is never rewritten" in shown.stderr) == (2, True)


def test_a_go_that_is_refused_leaves_no_decision(tmp_path: Path, bad: Path) -> None:
    out = tmp_path / "merged"
    run("merge", bad, "--out", out)
    shown = run("decide", out, "go", "--vote", "Ann:development:go", "--minutes", "https://example.test")
    assert (shown.exit_code, "go is refused: the verdict is NO-GO" in shown.stderr) == (2, True)
    assert not (out / "decision.json").exists()


@pytest.mark.parametrize("vote", ["Ann", "Ann:go", ":development:go", "Ann:development:perhaps"])
def test_a_vote_of_another_form_is_refused(tmp_path: Path, vote: str) -> None:
    shown = run("decide", tmp_path, "go", "--vote", vote, "--minutes", "https://example.test")
    assert (shown.exit_code, "NAME:ROLE:VOTE" in shown.stderr) == (2, True)


def test_diff_tells_what_is_worse(tmp_path: Path, good: Path, bad: Path) -> None:
    for path in (good, bad):
        run("merge", path, "--as-of", AS_OF, "--out", path.with_name(f"{path.name}-merged"))
    shown = run("diff", tmp_path / "good-merged", tmp_path / "bad-merged")
    assert shown.exit_code == 1
    assert shown.output.splitlines() == ["regressed: 1", "  must a: passed -> failed: no", "GO -> NO-GO"]
    shown = run("diff", tmp_path / "bad-merged", tmp_path / "good-merged", "--json")
    assert (shown.exit_code, [c["cell"] for c in json.loads(shown.stdout)["fixed"]]) == (0, ["a"])


def test_verdict_takes_waivers_from_a_file_and_judges_as_of_a_moment(tmp_path: Path, good: Path) -> None:
    (tmp_path / "w.toml").write_bytes(b"\xff")
    shown = run("verdict", good, "--waivers", tmp_path / "w.toml", "--as-of", AS_OF, "--json")
    assert shown.exit_code == 12
    assert "is not UTF-8" in Verdict.model_validate_json(shown.stdout).reasons[0].detail
    first, second = (run("verdict", good, "--as-of", AS_OF, "--json").stdout for _ in range(2))
    assert first == second
    assert run("verdict", good, "--as-of", "2026-11-22T00:30:00Z").exit_code == 12


@pytest.mark.parametrize("command", [("verdict",), ("merge",), ("bundle",), ("diff", "x"), ("decide",)])
def test_what_is_not_there_is_a_sentence(tmp_path: Path, command: tuple[str, ...]) -> None:
    extra = ("go", "--minutes", "https://example.test") if command == ("decide",) else ()
    shown = run(*command, tmp_path / "gone", *extra)
    assert (shown.exit_code, "Traceback" in shown.output) == (2, False)
    assert "gone" in shown.stderr or "x" in shown.stderr
