"""The invented verdicts that every test here renders."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.report import example_extremes as extremes

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


@pytest.fixture(scope="session")
def hostile_text() -> str:
    """A text with something in it for every format."""
    return extremes.HOSTILE


@pytest.fixture(scope="session")
def hostile(no_go: Verdict, conditional: Verdict) -> Verdict:
    """The verdict of `no_go` with a hostile text wherever the outside may put one."""
    return extremes.hostile(no_go, conditional)


@pytest.fixture(scope="session")
def huge(no_go: Verdict, conditional: Verdict) -> Verdict:
    """Two thousand cells with evidence and wordy failures, twenty testers, many wordy waivers and refused runs."""
    return extremes.huge(no_go, conditional)
