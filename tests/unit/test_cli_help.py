"""The command line helps: nearest names, completion in every shell, JSON wherever there is a table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner

from pytest_ovirt_release import cli
from pytest_ovirt_release.checks import preflight
from pytest_ovirt_release.lab.faults import TABLE
from pytest_ovirt_release.target import loading, ready
from tests.unit.verdict.test_merge import write_run

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"
COMPLETE = "import sys; from pytest_ovirt_release.cli import main; main(prog_name='ovirt-release')"


@pytest.mark.parametrize(
    "words",
    [
        ("verdict", "{}"),
        ("merge", "{}"),
        ("bundle", "{}"),
        ("announce", "{}"),
        ("reap", "{}"),
        ("diff", "{}", "{}"),
    ],
    ids=lambda words: words[0],
)
def test_an_unknown_run_gives_the_nearest_name(tmp_path: Path, words: tuple[str, ...]) -> None:
    write_run(tmp_path / "20261122T181400Z-3f9a")
    typed = [word.format(tmp_path / "20261122T181400Z-3f9b") for word in words]
    shown = CliRunner().invoke(cli.main, typed)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert f"did you mean '{tmp_path / '20261122T181400Z-3f9a'}'?" in shown.stderr


def test_a_path_far_from_everything_gets_no_advice(tmp_path: Path) -> None:
    write_run(tmp_path / "20261122T181400Z-3f9a")
    assert "did you mean" not in CliRunner().invoke(cli.main, ["verdict", str(tmp_path / "x")]).stderr
    assert "did you mean" not in CliRunner().invoke(cli.main, ["verdict", str(tmp_path / "no" / "x")]).stderr


def completions(shell: str, typed: str) -> str:
    environment = os.environ | {
        "_OVIRT_RELEASE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": typed if shell == "fish" else str(len(typed.split()) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", COMPLETE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_commands_and_options_are_completed(shell: str) -> None:
    assert "verdict" in completions(shell, "ovirt-release ver")
    assert "--waivers" in completions(shell, "ovirt-release merge --wai")
    assert "decide" not in completions(shell, "ovirt-release ver")


def test_the_faults_as_json_are_the_table() -> None:
    shown = CliRunner().invoke(cli.main, ["lab", "--list-faults", "--json"])
    assert [fault["name"] for fault in json.loads(shown.stdout)] == [fault.name for fault in TABLE]


def test_a_bundle_as_json_names_every_file(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    shown = CliRunner().invoke(cli.main, ["bundle", str(run), "--out", str(tmp_path / "b"), "--json"])
    told = json.loads(shown.stdout)
    assert set(told["files"]) == {"candidate.toml", "journal/controller.jsonl", "page.toml"}
    assert all(len(fact["sha256"]) == 64 for fact in told["files"].values())


@pytest.mark.parametrize(("state", "code"), [("wrong", 1), ("works", 0)])
def test_a_tried_target_as_json_has_every_finding(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str, code: int
) -> None:
    finding = preflight.Finding("engine.url", cast("Any", state), "said", "do this", ("ssl-setup",))
    monkeypatch.setattr(loading, "load_target", lambda _: SimpleNamespace(candidate=None))
    monkeypatch.setattr(ready, "make_ready", lambda _: None)
    monkeypatch.setattr(preflight, "look", lambda _: (finding,))
    shown = CliRunner().invoke(cli.main, ["target", "check", str(tmp_path / "target.toml"), "--json"])
    assert shown.exit_code == code, shown.output
    assert json.loads(shown.stdout) == [
        {"what": "engine.url", "state": state, "sentence": "said", "todo": "do this", "blocks": ["ssl-setup"]}
    ]
