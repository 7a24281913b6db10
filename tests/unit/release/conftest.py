"""A tiny release page as data, and a way to put data into a file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w

if TYPE_CHECKING:
    from collections.abc import Callable

WIKI = Path(__file__).parent / "data" / "wiki.md"


def digest_of_line(number: int) -> str:
    return hashlib.sha256(WIKI.read_text().split("\n")[number - 1].strip().encode()).hexdigest()


def requirement(name: str, line: int, **more: Any) -> dict[str, Any]:
    plain = {"id": name, "level": "must", "title": name, "section": "Requirements", "proof": "We look."}
    return {**plain, "line": line, "sha256": digest_of_line(line), **more}


@pytest.fixture
def wiki() -> bytes:
    return WIKI.read_bytes()


@pytest.fixture
def page_data(wiki: bytes) -> dict[str, Any]:
    return {
        "schema": "ovirt-release-page/1",
        "id": "tiny-1.0",
        "title": "Tiny 1.0",
        "product": "Tiny",
        "version": "1.0",
        "engine": ">=4.5,<5",
        "release_date": "2012-02-09",
        "source": {
            "uri": "https://example.org/tiny",
            "title": "Tiny",
            "sha256": hashlib.sha256(wiki).hexdigest(),
        },
        "places": {"git": "https://git.example.org", "downloads": "https://example.org/1.0"},
        "requirements": [
            requirement("notes", 5, axis="component"),
            requirement("tag", 9, axis="component"),
            requirement("binary", 10, level="should"),
            requirement("guest", 11, needs=["tag"], detail={"line": 12, "sha256": digest_of_line(12)}),
        ],
        "components": [
            {
                "name": "engine",
                "repository": "{git}/{name}.git",
                "tag": "{name}-{version}",
                "branch": "release-{release}",
                "tarball": "{downloads}/src/{name}-{version}.tar.gz",
                "signature": "{downloads}/src/{name}-{version}.tar.gz.sig",
                "notes": "{downloads}/notes/{tag}.md",
            }
        ],
        "signers": [{"role": "release-signer", "title": "Signs"}],
    }


@pytest.fixture
def candidate_data() -> dict[str, Any]:
    return {
        "schema": "ovirt-release-candidate/1",
        "page": "tiny-1.0",
        "version": "1.0.1",
        "created": "2012-01-10T12:00:00Z",
        "components": [{"name": "engine", "version": "1.0.1", "tag": "engine-1.0.1", "commit": "a" * 40}],
    }


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def save_data(data: dict[str, Any], name: str = "data.toml") -> Path:
        path = tmp_path / name
        path.write_text(tomli_w.dumps(data), encoding="utf-8")
        return path

    return save_data
