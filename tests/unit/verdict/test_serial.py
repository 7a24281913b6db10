"""verdict.json is plain JSON whatever somebody recorded."""

from __future__ import annotations

import json

import pytest

from pytest_ovirt_release.verdict.decide import decide
from pytest_ovirt_release.verdict.serial import verdict_json
from tests.unit.verdict.made import NOW, RunMaker, inputs


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), "nan"),
        ({"a": [float("inf"), 1.5]}, {"a": ["inf", 1.5]}),
        ({"a": [1, "\u00e9\n", None, True]}, {"a": [1, "\u00e9\n", None, True]}),
    ],
)
def test_a_number_that_is_not_finite_becomes_a_text(value: object, written: object) -> None:
    run = (
        RunMaker().all_pass().add("evidence", cell="vm-on-nfs", nodeid="t.py::t", name="n", value=value).end()
    )
    text = verdict_json(decide(inputs(), [run], NOW))
    (evidence,) = json.loads(text)["requirements"][0]["cells"][0]["evidence"]
    assert evidence["value"] == written
    assert text.isascii()
