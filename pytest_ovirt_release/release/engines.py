"""Which engines a page can judge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from pytest_ovirt_release.release.page import Page

_NUMBERS = re.compile(r"\d+(\.\d+)*")


def not_judged(page: Page, full_version: str) -> str | None:
    """Return why a page cannot judge an engine of this version (`4.5.7-1.el9`), or nothing when it can."""
    found = _NUMBERS.match(full_version)
    if found is None:
        return f"the engine says its version is {full_version!r}; page {page.id} judges {page.engine}"
    if not SpecifierSet(page.engine).contains(Version(found.group()), prereleases=True):
        return f"the engine is {full_version}; page {page.id} judges {page.engine}"
    return None
