"""The workshop in which the releases of the corpus are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.corpus.workshop import KeyCupboard, Workshop
from tests.unit.checks.web import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def keys() -> Iterator[KeyCupboard]:
    cupboard = KeyCupboard()
    yield cupboard
    cupboard.room.close()


@pytest.fixture
def shop(tmp_path: Path, keys: KeyCupboard) -> Iterator[Workshop]:
    for name in ("site", "work"):
        (tmp_path / name).mkdir()
    for web in running(tmp_path / "site"):
        yield Workshop(tmp_path / "work", keys, web)
