"""A component under test whose files are on a test server."""

from __future__ import annotations

from typing import Any

from pytest_ovirt_release.release.page import Component
from pytest_ovirt_release.release.resolved import ComponentUnderTest


def component(url: str, **fields: Any) -> ComponentUnderTest:
    """Return vdsm 4.9.3 below an address; `fields` replace those of the component, `page_fields` those of its page."""
    on_page = {
        "name": "vdsm",
        "repository": "r",
        "tag": "t",
        "branch": "b",
        "tarball": "t",
        "signature": "s",
        "notes": "n",
    }
    page = Component(**{**on_page, **fields.pop("page_fields", {})})
    tarball = f"{url}/vdsm-4.9.3.tar.gz"
    given: dict[str, Any] = {
        "name": "vdsm", "version": "4.9.3", "tag": "v4.9.3", "commit": "1" * 40, "repository": f"{url}/git/vdsm.git",
        "branch": "release-3.0", "version_file": "VERSION", "tarball": tarball, "signature": f"{tarball}.sig",
        "checksums": None, "top_folder": "vdsm-4.9.3", "generated": (), "binary_tarball": tarball,
        "binary_signature": f"{tarball}.sig", "notes": f"{url}/notes", "files": {}, "page": page,
    }  # fmt: skip
    return ComponentUnderTest(**{**given, **fields})
