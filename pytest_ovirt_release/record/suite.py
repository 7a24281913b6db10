"""Which tests the suite holds for each requirement, read from its source without importing it.

The verdict must know of tests that were never collected (`pytest acceptance/test_node.py` leaves the rest
out without a trace), so the list comes from the files, never from what a run happened to collect.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.page import Axis, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_ovirt_release.release.page import Page

LEVELS: tuple[Level, ...] = get_args(Level)
AXES: tuple[Axis, ...] = get_args(Axis)


@dataclass(frozen=True)
class MarkedTest:
    """One test function, the requirement its mark names, and the axes it takes as fixtures."""

    test: str
    requirement: str
    level: str
    axes: tuple[str, ...]


def scan(suite: Path, root: Path) -> tuple[MarkedTest, ...]:
    """Return every marked test under a folder; ReleaseError names a file that does not parse."""
    found: list[MarkedTest] = []
    for path in sorted(suite.rglob("test_*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        except (SyntaxError, UnicodeDecodeError) as error:
            raise ReleaseError(f"{path}: cannot be read as Python: {error}") from error
        found += _in_body(tree.body, path.relative_to(root).as_posix())
    return tuple(found)


def _in_body(body: Sequence[ast.stmt], prefix: str) -> Iterator[MarkedTest]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _in_body(node.body, f"{prefix}::{node.name}")
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            arguments = {a.arg for a in [*node.args.args, *node.args.kwonlyargs]}
            axes = tuple(axis for axis in AXES if axis in arguments)
            for level, requirement in _marks(node):
                yield MarkedTest(f"{prefix}::{node.name}", requirement, level, axes)


def _marks(node: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call):
            continue
        name = ast.unparse(decorator.func)
        level = name.removeprefix("pytest.mark.")
        if name.startswith("pytest.mark.") and level in LEVELS:
            for argument in decorator.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield level, argument.value


def mistakes(page: Page, tests: Sequence[MarkedTest]) -> tuple[str, ...]:
    """Return one sentence for each mark that does not fit the page: unknown id, wrong level, unfit axis."""
    known = {r.id: r for r in page.requirements}
    found = []
    for test in tests:
        requirement = known.get(test.requirement)
        if requirement is None:
            found.append(
                f"{test.test}: {test.level}({test.requirement!r}): page {page.id} has no such requirement; "
                f"it has {', '.join(sorted(known))}"
            )
            continue
        if test.level != requirement.level:
            found.append(
                f"{test.test}: {test.level}({test.requirement!r}): the page says {requirement.level}"
            )
        wanted = (requirement.axis,) if requirement.axis else ()
        if test.axes != wanted:
            found.append(
                f"{test.test}: {test.requirement!r} runs once per {requirement.axis or 'release'}, "
                f"but the test takes {', '.join(test.axes) or 'no axis fixture'}"
            )
    return tuple(found)


def cell_id(requirement: str, value: str | None) -> str:
    """Return the name of a cell: `source-tag[vdsm]`, or the requirement alone where it has no axis."""
    return requirement if value is None else f"{requirement}[{value}]"
