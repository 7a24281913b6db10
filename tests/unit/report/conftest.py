"""The invented verdicts that every test here renders."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_ovirt_release.verdict.model import Verdict

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def example() -> ModuleType:
    """The module that builds the examples; it is a script too, so it cannot be a conftest."""
    name = "release_report_example"
    spec = importlib.util.spec_from_file_location(name, HERE / "example.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses and pydantic look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def go(example: ModuleType) -> Verdict:
    """A rehearsal in which all is proven."""
    verdict: Verdict = example.go()
    return verdict


@pytest.fixture(scope="session")
def no_go(example: ModuleType) -> Verdict:
    """A rehearsal with a bit of every trouble."""
    verdict: Verdict = example.no_go()
    return verdict


@pytest.fixture(scope="session")
def invalid(go: Verdict) -> Verdict:
    """Nothing could be read: no page, no candidate, no requirement."""
    reason = {"code": "page-broken", "detail": "page.toml: 1 mistake(s)\n  requirements: missing"}
    return type(go).model_validate(
        {
            "generated_by": "a test",
            "verdict": "INVALID",
            "exit_code": 12,
            "rehearsal": False,
            "as_of": "2026-11-22T18:14:52+00:00",
            "page": None,
            "candidate": None,
            "reasons": [reason],
            "remarks": [],
            "must": {},
            "should": {},
        }
    )


HOSTILE = '<script>alert(1)</script> | `x` [a](javascript:alert(1)) & "q" \'\u202eevil\u0007 {{7*7}} **b**'


@pytest.fixture(scope="session")
def hostile_text() -> str:
    """A text with something in it for every format."""
    return HOSTILE


@pytest.fixture(scope="session")
def hostile(no_go: Verdict) -> Verdict:
    """The verdict of `no_go` with a hostile text wherever the outside may put one."""
    data = no_go.model_dump(by_alias=True)
    data["generated_by"] = HOSTILE
    data["page"]["title"] = data["page"]["uri"] = HOSTILE
    data["candidate"]["components"] = [{"name": HOSTILE, HOSTILE: HOSTILE}]
    for reason in (*data["reasons"], *data["remarks"]):
        reason["detail"] = reason["code"] = HOSTILE if reason["code"] != "finish" else "finish"
    for requirement in data["requirements"]:
        requirement["title"] = requirement["section"] = requirement["proof"] = HOSTILE
        for cell in requirement["cells"]:
            cell["value"] = cell["detail"] = HOSTILE
            for part in (*cell["attempts"], *cell["evidence"]):
                part["nodeid"] = HOSTILE
            for attempt in cell["attempts"]:
                attempt.update(
                    tester=HOSTILE, environment=HOSTILE, sentence=HOSTILE, message=HOSTILE, started=HOSTILE
                )
            for evidence in cell["evidence"]:
                evidence["name"] = HOSTILE
                evidence["file" if evidence["file"] else "value"] = HOSTILE
    for gap in data["gaps"]:
        gap.update(title=HOSTILE, owner=HOSTILE, detail=HOSTILE, eta=HOSTILE)
    for milestone in data["timeline"]:
        milestone.update(title=HOSTILE, source=HOSTILE, due=HOSTILE, actual=HOSTILE)
    for run in data["runs"]:
        run.update(tester=HOSTILE, arguments=[HOSTILE], versions={HOSTILE: HOSTILE}, brands=[HOSTILE])
    return type(no_go).model_validate(data)


@pytest.fixture(scope="session")
def huge(no_go: Verdict) -> Verdict:
    """Two thousand cells with evidence and wordy failures."""
    data = no_go.model_dump(by_alias=True)
    cells = [cell for requirement in data["requirements"] for cell in requirement["cells"]]
    template = dict(data["requirements"][1], cells=[])
    data["requirements"] = [
        dict(
            template,
            id=f"requirement-{r}",
            cells=[_huge_cell(cells[(r * 50 + c) % len(cells)], r, c) for c in range(50)],
        )
        for r in range(40)
    ]
    return type(no_go).model_validate(data)


def _huge_cell(cell: dict[str, object], requirement: int, number: int) -> dict[str, object]:
    wordy = "a long message of a failing test " * 300 if number % 3 == 0 else ""
    return dict(cell, id=f"requirement-{requirement}[value-{number}]", value=f"value-{number}", detail=wordy)
