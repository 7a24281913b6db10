"""Who may import whom: the arrows of the design, read from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pytest_ovirt_release"
NAME = PACKAGE.name

RULES = [
    ("verdict", {"pytest", "ovirtsdk4", "paramiko"}),
    ("verdict", {f"{NAME}.checks", f"{NAME}.report", f"{NAME}.lab", f"{NAME}.record", f"{NAME}.target"}),
    ("release", {"pytest", "ovirtsdk4", "paramiko", f"{NAME}.verdict", f"{NAME}.lab", f"{NAME}.checks"}),
    ("report", {f"{NAME}.checks", f"{NAME}.lab", f"{NAME}.record", f"{NAME}.target"}),
    ("checks", {f"{NAME}.verdict", f"{NAME}.report", f"{NAME}.lab", "pytest"}),
    ("lab", {f"{NAME}.checks", f"{NAME}.verdict", f"{NAME}.report", f"{NAME}.record", "pytest"}),
    (
        "local",
        {f"{NAME}.checks", f"{NAME}.verdict", f"{NAME}.report", f"{NAME}.lab", f"{NAME}.record", "pytest"},
    ),
    ("target", {f"{NAME}.lab", f"{NAME}.checks", f"{NAME}.verdict"}),
]
ALLOWED = {
    ("report/pytest_html.py", "pytest"): "the adapter to pytest-html",
}


def imports(path: Path, *, lazy: bool) -> set[str]:
    """Return the modules a file imports; without `lazy`, those inside functions do not count."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if lazy else iter(tree.body)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize(("room", "forbidden"), RULES, ids=[f"{r}-{i}" for i, (r, _) in enumerate(RULES)])
def test_rooms_import_only_what_the_design_allows(room: str, forbidden: set[str]) -> None:
    wrong = []
    for path in sorted((PACKAGE / room).rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        for module in sorted(imports(path, lazy=True)):
            wrong += [
                f"{name} imports {module}"
                for banned in forbidden
                if (module == banned or module.startswith(f"{banned}.")) and (name, banned) not in ALLOWED
            ]
    assert not wrong


@pytest.mark.parametrize("module", ["plugin", "options", "cli"])
def test_a_suite_that_only_has_the_plugin_installed_does_not_pay_for_it(module: str) -> None:
    heavy = {"ovirtsdk4", "paramiko", "pydantic", "jinja2", "gnupg", "urllib3", "asyncssh", "starlette"}
    if module == "cli":
        heavy -= {"pydantic"}
    top = {name.split(".")[0] for name in imports(PACKAGE / f"{module}.py", lazy=False)}
    assert not top & heavy


def test_the_lab_is_started_as_a_subprocess_and_imported_by_nothing_but_the_command_line() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(m.startswith(f"{NAME}.lab") for m in imports(path, lazy=True))
        and path.relative_to(PACKAGE).parts[0] != "lab"
    }
    assert users <= {"cli.py"}


def test_the_labs_engine_knows_of_the_nodes_nothing_but_their_verbs() -> None:
    node = f"{NAME}.lab.node"
    allowed = (f"{node}.verbs", f"{node}.access")
    wrong = [
        f"{path.name} imports {module}"
        for path in sorted((PACKAGE / "lab" / "engine").rglob("*.py"))
        for module in sorted(imports(path, lazy=True))
        if (module == node or module.startswith(f"{node}.")) and not module.startswith(allowed)
    ]
    assert not wrong


def test_the_labs_nodes_know_nothing_of_the_engine() -> None:
    engine = f"{NAME}.lab.engine"
    modules = {m for path in (PACKAGE / "lab" / "node").rglob("*.py") for m in imports(path, lazy=True)}
    assert not [module for module in modules if module.startswith(engine)]
