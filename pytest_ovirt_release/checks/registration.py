"""How a node asks to be registered: the command over SSH, its own facts, and the URLs of the first release."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import urllib3

from pytest_ovirt_release.checks.tls_connection import pool as pool_to
from pytest_ovirt_release.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.checks.node import Remote, Result
    from pytest_ovirt_release.target.model import EngineTarget, NodeTarget, Target

OLD_URLS = ("/OvirtEngineWeb/register", "/RHEVManagerWeb/VdsAutoRegistration.aspx")
"""What a node of vdsm 4.9 asks (engine 3.0; removed in 4.0): the second before v4.9.3, the first since."""

REGISTERED = "host is pending approval"
"""What `vdsm-tool register` prints at the end."""

NOT_FOUND = 404


def register_command(node: NodeTarget, engine_base: str, host_name: str) -> tuple[str, ...]:
    """Return the words of the registration command.

    The tool leaves the port out of its first request, so it goes into --engine-fqdn, where it is kept.
    """
    return (
        "vdsm-tool",
        "register",
        "--engine-fqdn",
        urlsplit(engine_base).netloc,
        "--node-address",
        node.address,
        "--node-name",
        host_name,
        "--ssh-user",
        node.ssh.user,
        "--ssh-port",
        str(node.ssh.port),
    )


def succeeded(result: Result) -> bool:
    """Return whether the registration command says that the host is pending approval."""
    return result.ok and REGISTERED in f"{result.stdout} {result.stderr}"


def node_ids(remote: Remote) -> tuple[str, ...]:
    """Return the ids the node gives itself: vdsm's own, and the hardware's where it can be read."""
    found: list[str] = []
    for argv in (
        ["cat", "/etc/vdsm/vdsm.id"],
        ["vdsm-tool", "vdsm-id"],
        ["cat", "/sys/class/dmi/id/product_uuid"],
    ):
        result = remote.run(argv)
        said = result.stdout.strip().casefold()
        if result.ok and said and said not in found:
            found.append(said)
    return tuple(found)


def node_facts(remote: Remote, met: Callable[[str, str], None]) -> str:
    """Return the node's /etc/os-release and tell `met` about it."""
    result = remote.run(["cat", "/etc/os-release"])
    text = result.stdout.strip()
    if text:
        met(f"node:{remote.name}", text)
    return text


def register_log(remote: Remote) -> str:
    """Return the end of the registration tool's log on the node; empty when there is none."""
    result = remote.run(["tail", "-n", "100", "/var/log/vdsm/register.log"])
    return result.stdout if result.ok else ""


@dataclass(frozen=True)
class GapProbe:
    """Whether the gap "registration needs a manual process" shows: `word` is open or closed, `source` says why."""

    word: Literal["open", "closed"]
    source: str
    answers: dict[str, int]


def probe_gap(node: NodeTarget, target: Target, engine_base: str) -> GapProbe:
    """Ask the registration URLs of the first release: while one is missing, or the node needs a command, it is open.

    Raises:
        Unreachable: the engine did not answer.
    """
    answers = _old_urls(engine_base, target.engine, target.deadlines.request)
    by_hand = node.registered_by == "command"
    said = ", ".join(f"{path} answers {status}" for path, status in answers.items())
    how = "; the node was registered by a command" if by_hand else ""
    shown = by_hand or NOT_FOUND in answers.values()
    return GapProbe("open" if shown else "closed", f"{engine_base}: {said}{how}", answers)


def _old_urls(engine_base: str, engine: EngineTarget, seconds: float) -> dict[str, int]:
    context = ssl.create_default_context(cafile=str(engine.ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    found = {}
    limit = urllib3.Timeout(total=seconds)
    with pool_to(context, engine.proxy) as pool:
        for path in OLD_URLS:
            try:
                answer = pool.request(
                    "GET", engine_base + path, timeout=limit, redirect=False, preload_content=False
                )
            except urllib3.exceptions.HTTPError as error:
                raise Unreachable(f"{engine_base}{path} did not answer: {error}") from error
            found[path] = answer.status
            answer.close()
    return found
