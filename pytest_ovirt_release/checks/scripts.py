"""The release's own scripts: whether they may run here, and what it means how they ended.

They run only from a tarball that was accepted in this run (the fixture `signed_tarball` sees to that) and
only if the target file says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import CheckFailed, Unproven
from pytest_ovirt_release.local.release_script import ScriptResult, run_script

if TYPE_CHECKING:
    from pytest_ovirt_release.target.model import Target

__all__ = ["ScriptResult", "require_permission", "require_success", "run_script"]

LAST_LINES = 5


def require_permission(target: Target) -> None:
    """Raise Unproven unless the target file lets the release's scripts run on this machine."""
    if not target.run_release_scripts:
        raise Unproven(
            f"the release's scripts were not run: target {target.name} says run_release_scripts = false; "
            "set it to true if they may run on this machine"
        )


def require_success(result: ScriptResult, what: str, code: str) -> None:
    """Raise CheckFailed with the script's last lines unless it ended well.

    Args:
        result: how the script ended.
        what: which script, as the sentence begins ("the PKI script").
        code: code of the failure; `<code>-deadline` when the script was stopped.
    """
    if result.timed_out:
        raise CheckFailed(f"{code}-deadline", f"{what}: {result}{said(result)}")
    if result.status != 0:
        raise CheckFailed(code, f"{what}: {result}{said(result)}")


def said(result: ScriptResult) -> str:
    """Return the script's last lines, as the end of a sentence."""
    lines = [line.strip() for line in result.output.splitlines() if line.strip()][-LAST_LINES:]
    return "; it said: " + " | ".join(lines) if lines else "; it said nothing"
