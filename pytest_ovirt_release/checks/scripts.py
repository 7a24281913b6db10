"""The release's own scripts: whether they may run here, and what it means how they ended.

They run only from a tarball that was accepted in this run (the fixture `signed_tarball` sees to that), in a
tree of their own, and only if the target file says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_ovirt_release.errors import CheckFailed, Unproven
from pytest_ovirt_release.local.release_script import ScriptResult, run_script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_ovirt_release.checks.tarball import SignedTarball
    from pytest_ovirt_release.release.page import Live, Page, Script
    from pytest_ovirt_release.target.model import SshTarget, Target

LAST_LINES = 5
"""How many of a script's last lines a message repeats."""


@dataclass(frozen=True)
class ReleaseScript:
    """One of the release's own scripts, and the tree that it alone runs in; `deadline` in seconds."""

    entry: Script
    source: Path
    deadline: float

    def run(
        self, values: Mapping[str, str], *, out: Path | None = None, env: Mapping[str, str] | None = None
    ) -> ScriptResult:
        """Run it; `{out}` in its command is `out`, or its own tree. CheckFailed when the tree does not hold it."""
        return run_script(
            self.entry, self.source, out or self.source, values, deadline=self.deadline, extra_env=env
        )


def release_script(
    kind: Literal["pki", "database"],
    page: Page,
    target: Target,
    signed_tarball: Callable[[str], SignedTarball],
) -> ReleaseScript:
    """Return a script that the page names, ready to run.

    Raises:
        Unproven: the page names none, or the target file does not let scripts run.
        Blocked: its tarball was not accepted.
    """
    entry = page.scripts.pki if kind == "pki" else page.scripts.database
    if entry is None:
        raise Unproven(f"page {page.id} names no {kind} script of the release, so none was run")
    require_permission(target)
    return ReleaseScript(entry, signed_tarball(entry.component).source, target.deadlines.script)


@dataclass(frozen=True)
class LiveMachine:
    """The engine's own machine, to be looked at in a script's stead: login, places, name of the version table."""

    ssh: SshTarget
    places: Live
    version_table: str


def live_instead(kind: Literal["pki", "database"], page: Page, target: Target) -> LiveMachine | None:
    """Return the machine to look at where a script of the release cannot be run; None where it can, or nobody can look.

    Looking proves less than running, so it is only done instead: without permission, or where the page names no script.
    """
    entry = page.scripts.pki if kind == "pki" else page.scripts.database
    if (
        (target.run_release_scripts and entry is not None)
        or target.engine.ssh is None
        or page.scripts.live is None
    ):
        return None
    table = entry.version_table if entry is not None else None
    return LiveMachine(target.engine.ssh, page.scripts.live, table or "schema_version")


def require_permission(target: Target) -> None:
    """Raise Unproven unless the target file lets the release's scripts run on this machine."""
    if not target.run_release_scripts:
        raise Unproven(
            f"the release's scripts were not run: target {target.name} says run_release_scripts = false; "
            "set it to true if they may run on this machine, or name the engine's machine in [engine.ssh]"
        )


def require_success(result: ScriptResult, what: str, code: str) -> None:
    """Raise CheckFailed with the script's last lines unless it ended well.

    Args:
        result: how the script ended.
        what: which script, as the sentence begins ("the PKI script").
        code: code of the failure; `<code>-deadline` when the script was stopped.
    """
    if result.timed_out:
        raise CheckFailed(f"{code}-deadline", f"{what}: {result}{_said(result)}")
    if result.status != 0:
        raise CheckFailed(code, f"{what}: {result}{_said(result)}")


def require_loud_failure(result: ScriptResult, what: str, code: str) -> None:
    """Raise CheckFailed unless the script ended by itself, with an error, and said something.

    Args:
        result: how the script ended.
        what: under which circumstances, as the sentence begins ("without a database").
        code: code of the failure.
    """
    if result.timed_out or result.status == 0 or not result.output.strip():
        raise CheckFailed(code, f"{what}, {result}{_said(result)}")


def _said(result: ScriptResult) -> str:
    """Return the script's last lines, as the end of a sentence."""
    lines = [line.strip() for line in result.output.splitlines() if line.strip()][-LAST_LINES:]
    return "; it said: " + " | ".join(lines) if lines else "; it said nothing"
