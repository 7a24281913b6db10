"""Write the shipped schemas anew, after a model has changed."""

from __future__ import annotations

from pathlib import Path

from pytest_ovirt_release.schemas import write_all

write_all(Path(__file__).parent)
