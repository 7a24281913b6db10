"""Release notes of a component, as a maintainer would send them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.release.plan import Plan


def noted_at(plan: Plan, faults: frozenset[str]) -> datetime:
    """Return when the notes were sent; under `notes-after-branch` vdsm's came five days late."""
    if "notes-after-branch" in faults and plan.name == "vdsm":
        return plan.moments.branched + timedelta(days=5)
    return plan.moments.noted


def notes(plan: Plan, faults: frozenset[str]) -> str:
    """Return the notes as Markdown, with a line that dates them."""
    when = noted_at(plan, faults)
    return f"""# {plan.name} {plan.version} release notes

Date: {when:%Y-%m-%d}

{plan.name} {plan.version} is part of this oVirt release. Its tag is {plan.tag}.

## What is new

*   First versioned release of {plan.name}, built from the tag {plan.tag}.
*   Bugs that were found on the test day are mended on the branch {plan.branch}.

## Known problems

*   None that would stop the release.
"""
