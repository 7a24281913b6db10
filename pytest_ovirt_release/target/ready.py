"""Before a target is used: passwords that only a person knows, and a CA that is still to be fetched."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.target.model import Target

CA_SECONDS = 5.0


def make_ready(target: Target) -> None:
    """Ask for passwords whose variables are not set, where there is a terminal; fetch the CA if it is pinned only.

    What was typed goes into this process's environment, where workers find it; it is nowhere else.

    Raises:
        ReleaseError: the CA is not the pinned one. Unreachable: it cannot be fetched.
    """
    from pytest_ovirt_release.target.ca_file import ensure_ca  # noqa: PLC0415 - needs urllib3

    if sys.stdin is not None and sys.__stdin__ is not None and sys.__stdin__.isatty():
        for variable, what in dict(_variables(target)).items():
            if not os.environ.get(variable):
                os.environ[variable] = getpass.getpass(f"{what} ({variable}): ")
    ensure_ca(target.engine, CA_SECONDS)


def _variables(target: Target) -> Iterator[tuple[str, str]]:
    """Yield the variables that a target reads passwords from, and what each is for."""
    machines = [(f"password of {node.name}", node.ssh) for node in target.nodes]
    if target.engine.ssh is not None:
        machines.append(("password of the engine machine", target.engine.ssh))
    if target.engine.password_env is not None:
        yield target.engine.password_env, f"password of {target.engine.user}"
    for what, ssh in machines:
        if ssh.password_env is not None:
            yield ssh.password_env, what
