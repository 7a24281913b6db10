"""JSON Schema of every file format, made from the models; `python -m pytest_ovirt_release.schemas` writes them."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter

from pytest_ovirt_release.release.candidate import Candidate
from pytest_ovirt_release.release.page import Page, PageOverlay
from pytest_ovirt_release.release.waivers import Waivers
from pytest_ovirt_release.target.model import Target
from pytest_ovirt_release.verdict.contents import Manifest
from pytest_ovirt_release.verdict.controls import Controls
from pytest_ovirt_release.verdict.decision import Decision
from pytest_ovirt_release.verdict.diff import Difference
from pytest_ovirt_release.verdict.model import Verdict
from pytest_ovirt_release.verdict.records import AnyRecord
from pytest_ovirt_release.verdict.statement import Statement

if TYPE_CHECKING:
    from pathlib import Path

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FORMATS: dict[str, tuple[Any, Literal["validation", "serialization"]]] = {
    "verdict": (Verdict, "serialization"),
    "page": (Page, "validation"),
    "overlay": (PageOverlay, "validation"),
    "candidate": (Candidate, "validation"),
    "target": (Target, "validation"),
    "waivers": (Waivers, "validation"),
    "controls": (Controls, "validation"),
    "journal": (AnyRecord, "validation"),
    "bundle": (Manifest, "serialization"),
    "decision": (Decision, "serialization"),
    "diff": (Difference, "serialization"),
    "attestation": (Statement, "serialization"),
}
"""Name of each format, its model, and whether we write it (all keys are there) or people do.

`journal` is one line of a journal, `bundle` the manifest inside a bundle, `attestation` the statement inside an envelope.
"""


def file_name(name: str) -> str:
    """Return the file name of a format's schema."""
    return f"{name}-v1.schema.json"


def build(name: str) -> dict[str, Any]:
    """Make the schema of one format from its model."""
    model, mode = FORMATS[name]
    schema = _without_doubled_constants(TypeAdapter(model).json_schema(by_alias=True, mode=mode))
    return {"$schema": DIALECT, "$id": file_name(name), **schema}


def load(name: str) -> dict[str, Any]:
    """Read the shipped schema of one format."""
    found = resources.files(__name__).joinpath(file_name(name)).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(found)
    return schema


def as_text(name: str) -> str:
    """Return the schema of one format as it stands in its file."""
    return json.dumps(build(name), indent=2) + "\n"


def write_all(folder: Path) -> None:
    """Write every schema into a folder."""
    for name in FORMATS:
        folder.joinpath(file_name(name)).write_text(as_text(name), encoding="utf-8")


def _without_doubled_constants(schema: Any) -> Any:  # noqa: ANN401 - walks JSON
    """Drop an `enum` that only repeats `const`: older versions of pydantic write both, newer ones do not."""
    if isinstance(schema, list):
        return [_without_doubled_constants(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    doubled = "const" in schema and schema.get("enum") == [schema["const"]]
    return {k: _without_doubled_constants(v) for k, v in schema.items() if not (doubled and k == "enum")}
