"""Which engines a page can judge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from pytest_ovirt_release.release.candidate import Candidate
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


def versions_wanted(page: Page, candidate: Candidate) -> dict[str, str]:
    """Return which version of each component has to be installed on the target: the candidate's.

    Empty on a historical page: only rehearsals are judged by it, and no engine of its time is left to install.
    """
    return {} if page.historical else {c.name: c.version for c in candidate.components}
