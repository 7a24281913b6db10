"""What the README tells people to type exists, and what it shows is true."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from click.testing import CliRunner

from pytest_ovirt_release import options
from pytest_ovirt_release.cli import main
from pytest_ovirt_release.lab import faults
from pytest_ovirt_release.target.loading import load_target
from pytest_ovirt_release.verdict.model import EXIT_CODES

if TYPE_CHECKING:
    import click

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    lines = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    return [words[1:] for words in lines if words[0] == program]


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
    assert {line.split()[0] for line in lines} == {"./run", "pytest", "ovirt-release"}


def test_sessions_exist() -> None:
    named = {words[0] for words in commands("./run")}
    assert named == {"rehearsal", "tests"}
    assert named <= sessions()


@pytest.mark.parametrize("words", commands("pytest"), ids=lambda words: "_".join(words).replace(" ", "_"))
def test_pytest_options_exist(words: list[str]) -> None:
    known = {f"--release-{option.name}" for option in options.OPTIONS} | {"-m", "-n", "-k"}
    assert {word for word in words if word.startswith("-")} <= known
    for number, word in enumerate(words):
        if word == "--release-fault":
            faults.check_names((words[number + 1],))


@pytest.mark.parametrize("words", commands("ovirt-release"), ids="_".join)
def test_commands_exist(words: list[str]) -> None:
    result = CliRunner().invoke(cast("click.Command", main), words)
    assert result.exit_code == 0, result.output


def test_the_target_file_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = blocks("toml")
    for name in ("ca.pem", "id_ed25519", "candidate.toml"):
        (tmp_path / name).write_text("-", encoding="utf-8")
    monkeypatch.setenv("ENGINE_PASSWORD", "not a real one")
    path = tmp_path / "target.toml"
    path.write_text(text, encoding="utf-8")
    assert load_target(path).name == "my-lab-room"


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
    for name in ("README.md", "reports/example/README.md"):
        path = ROOT / name
        for link in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{name}: {link}"
