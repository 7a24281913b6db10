"""What stands beside the requirements of the example verdicts: timeline, gap and run."""

from __future__ import annotations

import hashlib

from pytest_ovirt_release.verdict.model import GapVerdict, MilestoneVerdict, RunVerdict

RUN = "20261122T181400Z-3f9a"


def sha(seed: str) -> str:
    """Return an invented but stable digest."""
    return hashlib.sha256(seed.encode()).hexdigest()


def timeline() -> tuple[MilestoneVerdict, ...]:
    """Return the milestones, one of each status but missed."""
    return (
        MilestoneVerdict(
            id="final-vdsm",
            title="Final VDSM",
            due="2012-01-10",
            actual="2012-01-09T14:00:00+00:00",
            source="date of the tag",
            status="met",
        ),
        MilestoneVerdict(
            id="final-engine",
            title="Final oVirt-engine",
            due="2012-01-12T12:00:00+00:00",
            actual="2012-01-11T16:00:00+00:00",
            source="date of the tag",
            status="met",
        ),
        MilestoneVerdict(
            id="branches",
            title="Versioned git branch creation",
            due="2012-01-12",
            actual="2012-01-12T08:00:00+00:00",
            source="first own commits of the branches",
            status="met",
        ),
        MilestoneVerdict(
            id="test-day",
            title="First test day",
            due="2012-01-16",
            actual="2012-01-16",
            source="the release page says so",
            status="declared",
        ),
        MilestoneVerdict(
            id="go-no-go",
            title="Go/no-go meeting",
            due="2012-02-07T15:00:00+00:00",
            actual=None,
            source="nothing says when",
            status="unknown",
        ),
    )


def gap(*, closable: bool) -> GapVerdict:
    """Return the page's gap, whose ETA has long passed."""
    return GapVerdict(
        id="vdsm-registration",
        title="VDSM doesn't register without a manual process",
        owner="ovirt-node",
        eta="2011-12-09",
        requirements=("node-registers",),
        status="closable" if closable else "overdue",
        detail="node-1 registered by itself, and the old registration addresses answered."
        if closable
        else "node-1 registered by itself, but the old registration addresses were not tried.",
    )


def run(*, pytest_exit: int) -> RunVerdict:
    """Return the run that every example of one run comes from."""
    return RunVerdict(
        id=RUN,
        digest=sha(RUN),
        tester="example",
        environment="lab",
        started="2026-11-22T18:14:00+00:00",
        ended="2026-11-22T18:14:52+00:00",
        arguments=("--release-target", "lab", "-n", "2"),
        pytest_exit=pytest_exit,
        complete=True,
        rehearsal=True,
        brands=("engine CA", "engine product_info", "node-1 SSH banner", "OpenPGP user id"),
        versions={"python": "3.11.7", "pytest": "9.2.0", "git": "2.39.5", "gpg": "2.2.40"},
    )
