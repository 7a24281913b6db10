"""Writes docs/reference.md from the code: options, ini keys, marks, fixtures, commands, formats, exit codes.

python -m tests.docs.reference
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ovirt_release import cli, options
from pytest_ovirt_release.cli_attest import BAD
from pytest_ovirt_release.schemas import FORMATS
from pytest_ovirt_release.verdict.states import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pytest_ovirt_release"
FILE = ROOT / "docs" / "reference.md"
MEANT = {
    "GO": "every must is proven",
    "NO-GO": "something that the release must have does not hold",
    "INCOMPLETE": "nothing is disproven, but not every must is proven",
    "GO-CONDITIONAL": "on conditions that a person has to accept",
    "INVALID": "page, candidate or another input is broken",
}


def text() -> str:
    """Return the whole page."""
    parts = (
        [
            "# Reference",
            "",
            "Generated from the code by `python -m tests.docs.reference`; a test fails when it is stale.",
        ],
        _section("Options of pytest", _options()),
        _section("Ini keys", _table(("key", "what it says", "default"), _ini())),
        _section("Marks", _table(("mark", "meaning"), _marks())),
        _section("Fixtures", _table(("fixture", "what it gives"), _fixtures())),
        _section("Hooks", _hooks()),
        _section("Exit codes", _table(("code", "meaning"), _exits())),
        _section("File formats", _formats()),
        _section("Commands", _commands(cli.main, "ovirt-release")),
    )
    return "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield from lines


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _options() -> Iterator[str]:
    yield "An option beats its environment variable, and that beats the ini key."
    yield ""
    rows = []
    for option in options.OPTIONS:
        value = "" if option.action == "store_true" else f"={option.metavar or 'VALUE'}"
        rows.append(
            (f"`--release-{option.name}{value}`", option.help, f"`{option.env}`" if option.env else "")
        )
    yield from _table(("option", "what it says", "environment"), rows)


def _ini() -> Iterator[tuple[str, ...]]:
    for key in options.INI:
        yield f"`{key.name}`", key.help, f"`{key.default}`" if key.default else ""


def _marks() -> Iterator[tuple[str, str]]:
    tree = ast.parse((PACKAGE / "plugin.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "config.addinivalue_line":
            mark, meaning = str(ast.literal_eval(node.args[1])).split(": ", 1)
            yield f"`@pytest.mark.{mark}`", meaning


def _fixtures() -> Iterator[tuple[str, str]]:
    tree = ast.parse((PACKAGE / "fixtures.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(
            "fixture" in ast.unparse(d) for d in node.decorator_list
        ):
            yield f"`{node.name}`", (ast.get_docstring(node) or "").splitlines()[0]


def _hooks() -> Iterator[str]:
    yield "The plugin adds no hooks of its own. It implements these of pytest, xdist and pytest-html:"
    yield ""
    found = set()
    for path in (
        PACKAGE / "plugin.py",
        PACKAGE / "record" / "recorder.py",
        PACKAGE / "report" / "pytest_html.py",
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("pytest_"):
                found.add(node.name)
    yield ", ".join(f"`{name}`" for name in sorted(found))


def _exits() -> Iterator[tuple[str, str]]:
    for word, code in sorted(EXIT_CODES.items(), key=lambda item: item[1]):
        yield str(code), f"{word}: {MEANT[word]}"
    yield "2 to 6", "pytest's own; 2 of `ovirt-release`: a mistake that can be mended, or nobody answered"
    yield str(BAD), "`ovirt-release verify` alone: the attestation does not fit"


def _formats() -> Iterator[str]:
    yield "Each has a JSON Schema in `pytest_ovirt_release/schemas`. A file that does not fit is refused, with every mistake."
    yield ""
    rows = []
    for name, (model, _) in FORMATS.items():
        told = inspect.getdoc(model) if inspect.isclass(model) else "One line of a journal."
        first = (told or "").splitlines()[0]
        rows.append((f"[{name}](../pytest_ovirt_release/schemas/{name}-v1.schema.json)", first))
    yield from _table(("format", "what it is"), rows)


def _commands(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[str]:
    # With its parent, as when it is typed: the group says which options show the help.
    context = click.Context(
        command, info_name=name, parent=parent, max_content_width=100, **command.context_settings
    )
    context.terminal_width = 100
    if isinstance(command, click.Group):
        for known in command.list_commands(context):
            yield from _commands(command.commands[known], known, context)
        return
    yield from (f"### {context.command_path}", "", "```text")
    yield from (line.rstrip() for line in command.get_help(context).splitlines())
    yield from ("```", "")


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
