"""The command line: what it prints, what it exits with, and that a mistake is one message."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from pytest_ovirt_release import __version__, cli
from pytest_ovirt_release.checks import reaper
from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.release import page_check
from pytest_ovirt_release.release.loading import load_candidate
from pytest_ovirt_release.release.resolving import World
from pytest_ovirt_release.verdict import recompute
from pytest_ovirt_release.verdict.model import Counts, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "acceptance" / "releases"
LIVE = ("ovirtsdk4", "paramiko", "pycurl", "asyncssh", "starlette", "uvicorn")


def run(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(w) for w in words])


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


def found(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli.main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


@pytest.mark.parametrize("path", list(commands(cli.main)), ids=" ".join)
def test_every_command_shows_an_example_that_can_be_pasted(path: tuple[str, ...]) -> None:
    shown = run(*path, "--help")
    assert shown.exit_code == 0
    assert max(len(line) for line in shown.output.splitlines()) <= 80
    (example,) = re.findall(r"^  Example: ((?:.*\\\n)*.*)$", shown.output, re.MULTILINE)
    words = shlex.split(example.replace("\\\n", ""))  # as a shell reads on
    assert words[: len(path) + 1] == ["ovirt-release", *path]
    found(path).make_context("example", words[len(path) + 1 :])  # a UsageError where it is none of its own


@pytest.mark.parametrize("path", [(), ("page",), ("target",)], ids=str)
def test_every_group_shows_an_example(path: tuple[str, ...]) -> None:
    assert "\n  Example: ovirt-release " in run(*path, "--help").output


def test_version() -> None:
    assert run("version").output == f"ovirt-release {__version__}\n"


def test_page_check_tells_findings_and_exits_1(tmp_path: Path) -> None:
    wiki = tmp_path / "page.md"
    wiki.write_text("*   **MUST**: Everything\n")
    shown = run("page", "check", PAGES / "ovirt-3.0.toml", "--against", wiki)
    assert shown.exit_code == 1
    lines = shown.output.splitlines()
    assert "line 1: MUST without a requirement: *   **MUST**: Everything" in lines
    assert lines[-1] == f"ovirt-3.0.toml does not fit page.md: {len(lines) - 1} finding(s)"


def test_page_check_of_a_page_that_fits_exits_0(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("")
    monkeypatch.setattr(page_check, "check_page", lambda *_: page_check.PageCheck(10, 13, ()))
    shown = run("page", "check", PAGES / "ovirt-3.0.toml", "--against", tmp_path / "page.md")
    assert (shown.exit_code, shown.output) == (
        0,
        "ovirt-3.0.toml fits page.md: 10 demands, 13 requirements\n",
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("page", "check", "none.toml", "--against", "x"),
            "none.toml: 1 mistake(s)\n  there is no such file",
        ),
        (
            ("page", "check", PAGES / "ovirt-3.0.toml", "--against", "none.md"),
            "none.md: 1 mistake(s)\n  there is no such file",
        ),
        (("verdict", "none"), "none is not a run"),
        (
            ("candidate", "--pages", PAGES, "--page", "ovirt-3.1", "--version", "1", "--out", "c.toml"),
            f"{PAGES}: no release page 'ovirt-3.1'; did you mean 'ovirt-3.0'?; there are: ovirt-3.0, ovirt-4.5",
        ),
        (
            (
                "candidate",
                "--page",
                PAGES / "ovirt-3.0.toml",
                "--version",
                "1",
                "--component",
                "vdsm",
                "--out",
                "c",
            ),
            "--component 'vdsm' is not allowed; allowed: NAME=VERSION, such as vdsm=4.50.7",
        ),
        (
            ("verdict", "x", "--as-of", "soon"),
            "--as-of 'soon' is not allowed; allowed: a moment such as 2012-02-07T15:00:00Z",
        ),
    ],
    ids=["page", "wiki page", "run", "page id", "component", "moment"],
)
def test_a_mistake_is_one_message_and_exit_2(words: tuple[object, ...], message: str) -> None:
    shown = run(*words)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"ovirt-release: {message}")
    assert "Traceback" not in shown.stderr


def test_a_fault_that_the_lab_does_not_know_is_one_message_and_exit_2() -> None:
    shown = run("lab", "--fault", "no-such")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(
        "the lab did not start: unknown fault no-such; the lab knows: approve-fails, "
    )
    assert "Traceback" not in shown.stderr


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every tag and file be there; return what was asked for."""
    asked: list[str] = []

    def find_tag(url: str, tag: str, _: float) -> Any:
        asked.append(f"{url} {tag}")
        return SimpleNamespace(object="b" * 40, commit="c" * 40)

    def fetch(url: str, path: Path, **_: object) -> Any:
        if "vdsm" in url and "nothing" in url:
            raise ReleaseError("404")
        asked.append(url)
        path.write_bytes(b"")
        return SimpleNamespace(sha256="d" * 64, size=1)

    monkeypatch.setattr(
        cli, "_world", lambda: World(find_tag, fetch, lambda text: click.echo(text, err=True), lambda *_: [])
    )
    return asked


def test_candidate_writes_a_file_that_loads(servers: list[str], tmp_path: Path) -> None:
    out = tmp_path / "candidate.toml"
    words = ("candidate", "--pages", PAGES, "--page", "ovirt-4.5", "--version", "4.5.7", "--out", out)
    shown = run(*words, "--component", "vdsm=4.50.7", "--rc", "rc2")
    assert shown.exit_code == 0, shown.output
    candidate = load_candidate(out)
    assert (candidate.page, candidate.rc) == ("ovirt-4.5", "rc2")
    assert {c.name: c.tag for c in candidate.components}["vdsm"] == "v4.50.7"
    assert "https://github.com/oVirt/vdsm.git v4.50.7" in servers
    again = run(*words)
    assert again.exit_code == 2
    assert (
        again.stderr
        == f"ovirt-release: {out}: is there already; choose another name, or add --force to replace it\n"
    )
    assert run(*words, "--force").exit_code == 0
    assert load_candidate(out).rc is None


def test_candidate_uses_the_overlay_s_addresses(servers: list[str], tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(
        'schema = "ovirt-release-overlay/1"\npage = "ovirt-3.0"\n[places]\ngit = "http://127.0.0.1:1/git"\n'
    )
    shown = run(
        "candidate", "--page", PAGES / "ovirt-3.0.toml", "--version", "3.0", "--overlay", overlay,
        "--out", tmp_path / "c.toml",
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    assert "http://127.0.0.1:1/git/vdsm.git v3.0" in servers


def test_list_faults_shows_what_each_disproves() -> None:
    lines = run("lab", "--list-faults").output.splitlines()
    assert any(line.startswith("ca-mismatch ") and line.endswith("disproves ssl-setup") for line in lines)


@pytest.mark.parametrize(("left", "code"), [(0, 0), (2, 1)])
def test_reap_exits_1_when_something_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left: int, code: int
) -> None:
    def reap(folder: Path, *, dry_run: bool, say: Any) -> int:
        say(f"{folder.name} {dry_run}")
        return left

    monkeypatch.setattr(reaper, "reap", reap)
    shown = run("reap", tmp_path / "run", "--dry-run")
    assert (shown.exit_code, shown.output) == (code, "run True\n")


def test_an_engine_that_does_not_answer_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def reap(*_: object, **__: object) -> int:
        raise Unreachable("https://engine.example.org did not answer")

    monkeypatch.setattr(reaper, "reap", reap)
    shown = run("reap", "run")
    assert (shown.exit_code, shown.stderr) == (
        2,
        "ovirt-release: https://engine.example.org did not answer\n",
    )


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    asked: list[Any] = []

    def decide_again(run: Any, as_of: Any, waivers: Any) -> Verdict:
        asked.extend([run, as_of and as_of.isoformat()])
        return Verdict(
            generated_by="x", verdict="INCOMPLETE", exit_code=10, rehearsal=True, as_of="2012-02-07T15:00:00Z",
            page=None, candidate=None, reasons=(), remarks=(), must=Counts(unproven=1), should=Counts(),
        )  # fmt: skip

    monkeypatch.setattr(recompute, "recompute", decide_again)
    return asked


def test_verdict_prints_the_console_and_exits_with_its_code(decided: list[Any]) -> None:
    shown = run("verdict", "a", "--as-of", "2012-02-07T15:00:00")
    assert shown.exit_code == 10
    assert shown.output.splitlines()[-1].startswith("release: INCOMPLETE (REHEARSAL)")
    assert decided == [Path("a"), "2012-02-07T15:00:00+00:00"]


def test_verdict_as_json_is_the_verdict(decided: list[Any]) -> None:
    shown = run("verdict", "a", "--json")
    assert shown.exit_code == 10
    assert Verdict.model_validate_json(shown.output).verdict == "INCOMPLETE"


def without_live(*words: object) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.modules.update(dict.fromkeys({LIVE})); from pytest_ovirt_release.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip


def test_pages_and_verdicts_need_neither_sdk_nor_ssh(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("")
    assert (
        without_live("page", "check", PAGES / "ovirt-4.5.toml", "--against", tmp_path / "x.md").returncode
        == 1
    )
    assert "none is not a run" in without_live("verdict", "none").stderr


def test_a_missing_package_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    done = without_live("lab", "--folder", tmp_path / "lab")
    assert done.returncode == 2
    assert done.stderr == (
        "the lab did not start: it needs asyncssh, starlette, uvicorn; pip install 'pytest-ovirt-release[lab]' brings "
        "what is missing\n"
    )
