"""Whole verdicts, byte for byte: every code, sentence, count and date of a verdict is said as it was agreed."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from pytest_ovirt_release import schemas
from pytest_ovirt_release.verdict.serial import verdict_json
from tests.unit.verdict.golden import CASES, FOLDER

WORDS = {
    "conditional": "GO-CONDITIONAL",
    "no_go": "NO-GO",
    "incomplete": "INCOMPLETE",
    "unrecorded": "INCOMPLETE",
    "invalid": "INVALID",
}


@pytest.mark.parametrize("name", CASES)
def test_a_verdict_is_what_it_was(name: str) -> None:
    made = verdict_json(CASES[name]())
    committed = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert made == committed, "look at the difference, then: python -m tests.unit.verdict.golden"
    Draft202012Validator(schemas.load("verdict")).validate(json.loads(committed))
    assert json.loads(committed)["verdict"] == WORDS[name]
