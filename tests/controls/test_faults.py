"""Every fault of the lab disproves exactly what its table row names, and says why; nobody else notices."""

from __future__ import annotations

import pytest

from pytest_ovirt_release.lab.faults import BY_NAME
from tests.controls.run import judge


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_fault_disproves_exactly_what_its_row_names(name: str) -> None:
    assert judge(BY_NAME[name], whole=False) == []
