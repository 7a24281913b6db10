"""Which engines a page can judge."""

from __future__ import annotations

import pytest

from pytest_ovirt_release.release.engines import not_judged
from tests.unit.verdict.made import page


@pytest.mark.parametrize("version", ["4.5.8-1.el9", "4.5", "4.5.7-0.master.20260819.el9"])
def test_an_engine_in_range_is_judged(version: str) -> None:
    assert not_judged(page(engine=">=4.5,<5"), version) is None


@pytest.mark.parametrize("version", ["4.4.10.7-1.el8", "5.0.0", "unknown", ""])
def test_any_other_engine_is_named(version: str) -> None:
    told = not_judged(page(engine=">=4.5,<5"), version)
    assert told is not None
    assert ">=4.5,<5" in told
