"""The easy installation, seen over SSH on the engine's machine: the setup tool answers, the service is on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.node import Remote, Result
    from pytest_ovirt_release.release.page import Setup

LOG_FOLDER = "/var/log/ovirt-engine/setup"
FINISHED = "Execution of setup completed successfully"
LOG_LINES = 40
"""How many of the setup log's last lines are kept."""
NOT_FOUND = 127
"""Exit status of a shell that does not know the command."""


@dataclass(frozen=True)
class Installation:
    """What the machine answered; `log` holds the last lines of the newest setup log, or why there is none."""

    tool: str
    enabled: str
    active: str
    log: str

    def as_evidence(self) -> dict[str, str]:
        """Return plain values for the report."""
        return {"setup tool": self.tool, "service enabled": self.enabled, "service active": self.active}


def check_installation(machine: Remote, setup: Setup, deadline: float) -> Installation:
    """Return what the engine's machine says of setup tool and service.

    Args:
        machine: the engine's machine.
        setup: the page's command for the tool, and the service.
        deadline: seconds for each command.

    Raises:
        CheckFailed: setup-tool-missing, setup-tool-fails, service-disabled, service-inactive.
        Unreachable: the machine does not answer.
    """
    tool = _tool(machine, setup, deadline)
    enabled = _service(machine, "is-enabled", setup.service, "enabled", deadline)
    active = _service(machine, "is-active", setup.service, "active", deadline)
    return Installation(tool, enabled, active, _newest_log(machine, deadline))


def require_finished_setup(machine: Remote, deadline: float) -> str:
    """Return the last line of the newest setup log once it says that all went well.

    Raises:
        CheckFailed: `setup-not-finished`, with the log's last line.
    """
    log = _newest_log(machine, deadline).strip()
    if FINISHED not in log:
        last = log.splitlines()[-1][-300:] if log else "nothing"
        raise CheckFailed(
            "setup-not-finished", f"the newest setup log does not say {FINISHED!r}; it ends: {last}"
        )
    return next(line for line in reversed(log.splitlines()) if FINISHED in line)


def _tool(machine: Remote, setup: Setup, deadline: float) -> str:
    result = machine.run(setup.tool, deadline)
    command = " ".join(setup.tool)
    if result.status == NOT_FOUND:
        raise CheckFailed("setup-tool-missing", f"{setup.tool[0]} is not installed on the engine's machine")
    answers = setup.tool_says in result.stdout if setup.tool_says else result.status == 0
    if not answers or not result.stdout.strip():
        wanted = f", not {setup.tool_says!r}" if setup.tool_says else ""
        raise CheckFailed(
            "setup-tool-fails",
            f"`{command}` ended with status {result.status} and said {_said(result)}{wanted}",
        )
    return result.stdout.strip()


def _service(machine: Remote, verb: str, service: str, wanted: str, deadline: float) -> str:
    result = machine.run(["systemctl", verb, "--", service], deadline)
    state = result.stdout.strip()
    if result.status != 0 or state != wanted:
        code = "service-disabled" if verb == "is-enabled" else "service-inactive"
        raise CheckFailed(
            code,
            f"`systemctl {verb} {service}`: {wanted} is wanted, the engine's machine says {_said(result)}",
        )
    return state


def _newest_log(machine: Remote, deadline: float) -> str:
    listing = machine.run(["ls", "-1t", "--", LOG_FOLDER], deadline)
    names = [name for name in listing.stdout.splitlines() if name.endswith(".log") and "/" not in name]
    if listing.status != 0 or not names:
        return f"no log in {LOG_FOLDER}"
    return machine.run(["tail", "-n", str(LOG_LINES), "--", f"{LOG_FOLDER}/{names[0]}"], deadline).stdout


def _said(result: Result) -> str:
    text = " ".join(f"{result.stdout} {result.stderr}".split())
    return repr(text[:300]) if text else "nothing"
