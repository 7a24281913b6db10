"""What README and docs tell people to type exists, and what they show is true."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from click.testing import CliRunner

from pytest_ovirt_release import options
from pytest_ovirt_release.cli import main
from pytest_ovirt_release.lab import faults
from pytest_ovirt_release.release.candidate import CandidatePackage
from pytest_ovirt_release.release.loading import parse_page, parse_waivers
from pytest_ovirt_release.schemas import FORMATS
from pytest_ovirt_release.target.loading import load_target
from pytest_ovirt_release.verdict.states import EXIT_CODES
from pytest_ovirt_release.verdict.waiving import unknown_cells

if TYPE_CHECKING:
    import click

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TARGET_FILE = (ROOT / "docs" / "target-file.md").read_text(encoding="utf-8")
JUDGING = (ROOT / "docs" / "judging.md").read_text(encoding="utf-8")
PAGES = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "reports" / "example" / "README.md",
)


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    listed = [block for page in PAGES for block in blocks("sh", page.read_text(encoding="utf-8"))]
    lines = dict.fromkeys(line for block in listed for line in block.splitlines())
    typed = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in typed if words[0] == program]


def named(words: list[str]) -> str:
    return "_".join(words).translate(str.maketrans(" /", "__"))


def sessions() -> set[str]:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any("session" in ast.unparse(d) for d in node.decorator_list)
    }


def test_it_is_short() -> None:
    assert len(README.splitlines()) < 150


def test_every_command_is_of_a_program_we_check() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert {line.split()[0] for line in lines} == {"./run", ".", "pytest", "ovirt-release"}


def test_the_shell_finds_the_programs_in_the_venv_that_run_makes() -> None:
    assert commands(".") == [[".venv/bin/activate"]]
    assert '"$python" -m venv .venv' in (ROOT / "run").read_text(encoding="utf-8")


def test_sessions_exist() -> None:
    named = {words[0] for words in commands("./run")}
    assert named >= {"rehearsal", "tests"}
    assert named <= sessions()


@pytest.mark.parametrize("words", commands("pytest"), ids=named)
def test_pytest_options_exist(words: list[str]) -> None:
    known = {f"--release-{option.name}" for option in options.OPTIONS} | {"-m", "-n", "-k"}
    assert {word for word in words if word.startswith("-")} <= known
    for number, word in enumerate(words):
        if word == "--release-fault":
            faults.check_names((words[number + 1],))


@pytest.mark.parametrize("words", commands("ovirt-release"), ids=named)
def test_commands_exist(words: list[str]) -> None:
    command, *options = words
    if not {"--help", "--list-faults"} & set(words):  # it would do something; only its options are looked at
        path = [command, *options[:1]] if command in {"page", "target"} else [command]
        known = CliRunner().invoke(cast("click.Command", main), [*path, "--help"]).output
        assert {word for word in options if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", known))
        return
    result = CliRunner().invoke(cast("click.Command", main), words)
    assert result.exit_code == 0, result.output


def test_the_target_file_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = blocks("toml", TARGET_FILE)
    (tmp_path / ".ssh").mkdir()
    for name in ("ca.pem", ".ssh/id_ed25519", "candidate.toml"):
        (tmp_path / name).write_text("-", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "target.toml"
    path.write_text(text, encoding="utf-8")
    target = load_target(path)
    assert target.run_release_scripts, "without it two musts stay unproven"
    assert {node.storage for node in target.nodes} == {"nfs", "local"}, "each is a must"


def test_packages_of_a_candidate_can_be_read() -> None:
    (block,) = blocks("text", TARGET_FILE)
    given = [CandidatePackage.model_validate(p) for p in tomllib.loads(block)["packages"]]
    assert [p.distribution for p in given] == ["el9"]


def test_the_waiver_file_and_the_approvers_can_be_read() -> None:
    waivers, approvers = blocks("toml", JUDGING)
    given = parse_waivers(waivers.encode(), Path("waivers.toml"))
    page = (ROOT / "acceptance" / "releases" / "ovirt-4.5.toml").read_text(encoding="utf-8")
    judged = parse_page(f"{page}\n{approvers}".encode(), Path("page.toml"))
    assert not list(unknown_cells(judged, given))
    assert {w.approver for w in given.waivers} == {a.name for a in judged.approvers}


def test_every_format_is_named() -> None:
    told = JUDGING[JUDGING.index("## File formats") :]
    assert [name for name in FORMATS if name not in told] == []


def test_the_verdict_shown_is_the_examples() -> None:
    (shown,) = blocks("text")
    example = (ROOT / "reports" / "example" / "console.txt").read_text(encoding="utf-8").splitlines()
    lines = iter(example)
    for line in shown.splitlines():
        assert line == "…" or line in lines, f"{line!r} is not in the example, or not in this order"


def test_exit_codes_are_those_we_give() -> None:
    told = dict(re.findall(r"^\| (\d+) \| ([A-Z-]+):", README, re.MULTILINE))
    assert {word: int(code) for code, word in told.items()} == EXIT_CODES


def test_the_python_example_compiles() -> None:
    for block in blocks("python"):
        compile(block, "README.md", "exec")


def test_links_lead_somewhere() -> None:
    for path in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path}: {link}"
