"""The invented verdicts that every test here renders."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
def conditional(example: ModuleType) -> Verdict:
    """A merge of two testers with waivers of every kind and a refused run."""
    verdict: Verdict = example.conditional()
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
def hostile(no_go: Verdict, conditional: Verdict) -> Verdict:
    """The verdict of `no_go` with a hostile text wherever the outside may put one."""
    data = no_go.model_dump(by_alias=True)
    _waive(data, conditional.model_dump(by_alias=True))
    data["generated_by"] = HOSTILE
    data["page"]["title"] = data["page"]["uri"] = HOSTILE
    data["candidate"]["components"] = [{"name": HOSTILE, HOSTILE: HOSTILE}]
    data["candidate"]["files"] = [{"component": HOSTILE, "name": HOSTILE, "sha256": HOSTILE}]
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
        run.update(arguments=[HOSTILE], versions={HOSTILE: HOSTILE}, brands=[HOSTILE])
        run.update(tester=f"{HOSTILE}{run['id']}", digest=HOSTILE)
    return type(no_go).model_validate(data)


def _waive(data: dict[str, Any], conditional: dict[str, Any]) -> None:
    """Give a verdict the runs, waivers and refused runs of another, all with hostile texts, and waive a cell."""
    data.update({name: conditional[name] for name in ("runs", "waivers", "refused")})
    data["waivers_sha256"] = HOSTILE
    for number, waiver in enumerate(data["waivers"]):
        waiver.update(dict.fromkeys(("reason", "approver", "role", "approved", "expires", "detail"), HOSTILE))
        waiver["id"], waiver["cells"] = f"{HOSTILE}{number}", [HOSTILE, f"vm-on-nfs[{HOSTILE}]"]
        waiver["used_for"] = [HOSTILE] if waiver["status"] == "used" else []
    for run in data["refused"]:
        run.update(dict.fromkeys(("name", "run", "digest", "code", "detail"), HOSTILE))
    cells = [c for r in data["requirements"] for c in r["cells"] if c["class"] in {"disproven", "unproven"}]
    cells[0].update(disposition="waived", waiver=f"{HOSTILE}0")
    cells[1].update(disposition="waived", waiver=f"{HOSTILE}, and listed nowhere")


@pytest.fixture(scope="session")
def huge(no_go: Verdict, conditional: Verdict) -> Verdict:
    """Two thousand cells with evidence and wordy failures, twenty testers, many wordy waivers and refused runs."""
    data, merged = no_go.model_dump(by_alias=True), conditional.model_dump(by_alias=True)
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
    data["runs"] = [dict(data["runs"][0], id=f"run-{n}", tester=f"tester-{n}") for n in range(20)]
    data["refused"] = [dict(merged["refused"][0], name=f"refused-{n}", detail=WORDY) for n in range(300)]
    data["waivers"] = [_huge_waiver(merged["waivers"][0], data, n) for n in range(400)]
    return type(no_go).model_validate(data)


WORDY = "a long message of a failing test " * 300


def _huge_cell(cell: dict[str, Any], requirement: int, number: int) -> dict[str, Any]:
    name = f"requirement-{requirement}[value-{number}]"
    attempts = [dict(a, tester=f"tester-{(requirement + number) % 20}") for a in cell["attempts"]]
    detail = WORDY if number % 3 == 0 else ""
    return dict(cell, id=name, value=f"value-{number}", detail=detail, attempts=attempts)


def _huge_waiver(waiver: dict[str, Any], data: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a waiver that is used for what is not proven of five cells."""
    cells = [c for r in data["requirements"] for c in r["cells"]][number * 5 : number * 5 + 5]
    name, used = f"waiver-{number}", [c for c in cells if c["class"] in {"disproven", "unproven"}]
    for cell in used:
        cell.update(disposition="waived", waiver=name)
    return dict(
        waiver,
        id=name,
        status="used" if used else "unused",
        reason=WORDY,
        cells=[c["id"] for c in cells],
        used_for=[c["id"] for c in used],
    )
