"""The committed facts are what the script makes of the recordings, where these are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.contract.derive import folders, topic
from tests.lab.contract.model import topics

CAPTURE = Path(__file__).parents[4] / "shared" / "engine-capture"


def test_facts_hold_every_recorded_topic() -> None:
    names = [found.name for found in topics()]
    assert len(names) == len(set(names)) == 23
    assert all(found.exchanges for found in topics())


@pytest.mark.skipif(not CAPTURE.is_dir(), reason="the raw recordings are not part of the project")
@pytest.mark.parametrize("name", ["02-register-approve", "static-08-faults"])
def test_facts_are_what_the_recordings_give(name: str) -> None:
    (folder,) = [f for f in folders(CAPTURE) if name in (f.name, f"static-{f.name}")]
    assert topic(folder) == next(found for found in topics() if found.name == name)
