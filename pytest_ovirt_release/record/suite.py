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
HOW = (
    'write @pytest.mark.{level}("requirement") with one literal id on the test function itself, '
    "in a file that pytest collects (test_*.py)"
)
"""How a mark has to be written for the scan to see it."""


@dataclass(frozen=True)
class MarkedTest:
    """One test function, the requirement its mark names, and the axes it takes as fixtures."""

    test: str
    requirement: str
    level: str
    axes: tuple[str, ...]


def scan(suite: Path, root: Path) -> tuple[MarkedTest, ...]:
    """Return every marked test under a folder.

    Raises:
        ReleaseError: a file does not parse, or holds a mark that cannot be read from the source alone: a test
            that nobody expects could be left out without a trace.
    """
    found: list[MarkedTest] = []
    wrong: list[str] = []
    for path in sorted(suite.rglob("*.py")):
        source = path.read_bytes()
        if not any(level.encode() in source for level in LEVELS):
            continue
        try:
            tree = ast.parse(source, str(path))
        except (SyntaxError, ValueError) as error:
            raise ReleaseError(f"{path}: cannot be read as Python: {error}") from error
        name = path.relative_to(root).as_posix()
        tests = list(_in_body(tree.body, name)) if _is_collected(path) else []
        found += [test for test, _ in tests]
        wrong += _misplaced(tree, name, {mark for _, mark in tests})
        wrong += _shadowed(tree.body, name, {test.test for test, _ in tests})
    if wrong:
        raise ReleaseError("\n".join(["the suite's marks cannot be read from its source:", *wrong]))
    return tuple(found)


def _is_collected(path: Path) -> bool:
    return path.name.startswith("test_") or path.name.endswith("_test.py")


def _functions(
    body: Sequence[ast.stmt], prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}::{node.name}")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield f"{prefix}::{node.name}", node


def _in_body(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[MarkedTest, ast.expr]]:
    """Yield each marked test with the node of its mark."""
    for name, node in _functions(body, prefix):
        arguments = {a.arg for a in [*node.args.args, *node.args.kwonlyargs]}
        axes = tuple(axis for axis in AXES if axis in arguments)
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and (mark := _mark(decorator)):
                yield MarkedTest(name, mark[1], mark[0], axes), decorator.func


def _mark(decorator: ast.Call) -> tuple[str, str] | None:
    """Return level and requirement of `pytest.mark.must("id")`, and nothing for any other form."""
    level = ast.unparse(decorator.func).removeprefix("pytest.mark.")
    if level not in LEVELS or len(decorator.args) != 1 or decorator.keywords:
        return None
    match decorator.args[0]:
        case ast.Constant(value=str(requirement)):
            return level, requirement
    return None


def _misplaced(tree: ast.Module, name: str, read: set[ast.expr]) -> Iterator[str]:
    """Yield one sentence for each mark that stands anywhere but where it was read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in LEVELS and node not in read:
            owner = ast.unparse(node.value)
            if owner == "mark" or owner.endswith(".mark"):
                yield f"{name}:{node.lineno}: {owner}.{node.attr}: {HOW.format(level=node.attr)}"


def _shadowed(body: Sequence[ast.stmt], prefix: str, marked: set[str]) -> Iterator[str]:
    """Yield one sentence for each marked test whose name is defined again: Python keeps only the last one."""
    names = [name for name, _ in _functions(body, prefix)]
    for name in sorted(marked):
        if names.count(name) > 1:
            yield f"{name}: is defined {names.count(name)} times, and only the last one would run"


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
