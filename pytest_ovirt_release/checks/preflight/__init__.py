"""What is looked at before the first change: every connection, clock and folder of the target, read-only."""

from pytest_ovirt_release.checks.preflight.findings import Finding, blocking
from pytest_ovirt_release.checks.preflight.gate import Gate
from pytest_ovirt_release.checks.preflight.looking import look

__all__ = ["Finding", "Gate", "blocking", "look"]
