"""The command line helps: nearest names, completion in every shell, JSON wherever there is a table."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import click
import pytest
from click.testing import CliRunner

from pytest_ovirt_release import cli
from pytest_ovirt_release.checks import preflight
from pytest_ovirt_release.cli_paths import GIVEN
from pytest_ovirt_release.lab.faults import TABLE
from pytest_ovirt_release.target import loading, ready
from tests.unit.verdict.test_merge import write_run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
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


OF_FILES = {
    "page": ("page", "check", "{far}", "--against", "{near}"),
    "against": ("page", "check", "{near}", "--against", "{far}"),
    "candidate-page": ("candidate", "--page", "{far}", "--version", "1", "--out", "c.toml"),
    "candidate-pages": ("candidate", "--page", "x", "--pages", "{far}", "--version", "1", "--out", "c.toml"),
    "candidate-overlay": (
        "candidate",
        "--page",
        "{near}",
        "--overlay",
        "{far}",
        "--version",
        "1",
        "--out",
        "c.toml",
    ),
    "lab-page": ("lab", "--page", "{far}"),
    "target": ("target", "check", "{far}"),
    "waivers": ("verdict", "{run}", "--waivers", "{far}"),
    "merge-candidate": ("merge", "{run}", "--candidate", "{far}"),
    "merge-page": ("merge", "{run}", "--page", "{far}"),
    "merge-previous": ("merge", "{run}", "--previous", "{far}", "--out", "o"),
    "decide": ("decide", "{far}", "no-go", "--reason", "x", "--minutes", "https://example.org/"),
    "attest": ("attest", "{far}", "--key", "A" * 40),
    "verify": ("verify", "{far}", "--fingerprint", "A" * 40, "--key-file", "{near}"),
    "key": ("verify", "{run}", "--fingerprint", "A" * 40, "--key-file", "{far}"),
}
"""Every other path that a command reads: `far` is mistyped, `near` is there."""


@pytest.mark.parametrize("words", OF_FILES.values(), ids=OF_FILES)
def test_an_unknown_file_gives_the_nearest_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "acceptance" / "releases" / "ovirt-4.5.toml", "ovirt-4.5.toml")
    write_run(tmp_path / "20261122T181400Z-3f9a")
    typed = [
        word.format(far="ovirt-4.6.toml", near="ovirt-4.5.toml", run="20261122T181400Z-3f9a")
        for word in words
    ]
    shown = CliRunner().invoke(cli.main, typed)
    assert shown.exit_code in {1, 2, 13}, shown.output
    assert shown.stderr.count("did you mean 'ovirt-4.5.toml'?") == 1
    assert shown.stderr.count("did you mean") == 1


def test_a_mistyped_folder_on_the_way_is_what_is_mended(tmp_path: Path) -> None:
    write_run(tmp_path / "reports" / "20261122T181400Z-3f9a")
    for end in ("", "/20261122T181400Z-3f9a"):
        shown = CliRunner().invoke(cli.main, ["verdict", f"{tmp_path}/report{end}"])
        assert f"did you mean '{tmp_path}/reports{end}'?" in shown.stderr


def test_an_unknown_fault_gives_the_nearest_name() -> None:
    shown = CliRunner().invoke(cli.main, ["lab", "--fault", "unsigned-tarbal"])
    assert shown.exit_code == 2
    assert "did you mean 'unsigned-tarball'?" in shown.stderr


def test_json_of_the_lab_itself_is_refused() -> None:
    shown = CliRunner().invoke(cli.main, ["lab", "--json"])
    assert shown.exit_code == 2
    assert "--list-faults" in shown.stderr


def test_a_path_far_from_everything_gets_no_advice(tmp_path: Path) -> None:
    write_run(tmp_path / "20261122T181400Z-3f9a")
    assert "did you mean" not in CliRunner().invoke(cli.main, ["verdict", str(tmp_path / "x")]).stderr
    assert "did you mean" not in CliRunner().invoke(cli.main, ["verdict", str(tmp_path / "no" / "x")]).stderr
    (tmp_path / "pyproject.toml").touch()
    shown = CliRunner().invoke(cli.main, ["page", "check", str(tmp_path / "none.toml"), "--against", "x"])
    assert "did you mean" not in shown.stderr, "an ending is not a name"


def completions(shell: str, typed: str) -> str:
    # bash and zsh count the words, fish gives the word that is being typed.
    words = typed.split()
    environment = os.environ | {
        "_OVIRT_RELEASE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
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


SHELLS = ("bash", "zsh", "fish")
ASKED = {
    "bash": ("", "complete -p ovirt-release", "-F _ovirt_release_completion"),
    "zsh": (
        "autoload -U compinit; compinit -u -D",
        'echo "$_comps[ovirt-release]"',
        "_ovirt_release_completion",
    ),
    "fish": ("", 'complete -C "ovirt-release ver"', "verdict"),
}
"""What a shell needs before the line, how it is asked afterwards what it completes, and what it says then."""


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_and_options_are_completed(shell: str) -> None:
    assert "verdict" in completions(shell, "ovirt-release ver")
    assert "--waivers" in completions(shell, "ovirt-release merge --wai")
    assert "decide" not in completions(shell, "ovirt-release ver")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_takes_the_line_that_the_guide_shows(shell: str, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^- {shell}, .*: `(.+)`$", guide, re.MULTILINE)
    if not shutil.which(shell):  # bash is wherever these tests are
        assert f"_OVIRT_RELEASE_COMPLETE={shell}_source ovirt-release" in line
        return
    first, last, said = ASKED[shell]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [shell, "-c", f"{first}\n{line}\n{last}"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert said in done.stdout
    assert done.stderr == ""


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


WRITTEN = {("candidate", "out"), ("bundle", "out"), ("merge", "out"), ("announce", "out"), ("attest", "out"), ("new", "path"), ("lab", "folder")}  # fmt: skip
HINTED_BY_ITSELF = {("lab", "page")}


def test_every_path_is_one_that_is_written_or_one_with_a_hint() -> None:
    def paths(command: click.Command) -> Iterator[tuple[str | None, str | None]]:
        if isinstance(command, click.Group):
            for below in command.commands.values():
                yield from paths(below)
        for parameter in command.params:
            if isinstance(parameter.type, click.Path) and parameter.type is not GIVEN:
                yield command.name, parameter.name

    assert set(paths(cli.main)) == WRITTEN | HINTED_BY_ITSELF
