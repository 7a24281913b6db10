"""Whether a host that came up fits its cluster, and what the engine says when it does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.cpus import CPUS

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.state import Cluster, Host
    from pytest_ovirt_release.lab.node.verbs import Capabilities

SUPPORTED_VDSM = ("4.20", "4.40", "4.30", "4.50")
"""In the order that the engine lists them."""

MANAGEMENT = "ovirtmgmt"


@dataclass(frozen=True)
class Misfit:
    """Why a host cannot stay up: status detail, event, and whether it was up before the engine saw it."""

    detail: str
    code: int
    text: str
    after_up: bool = False
    times: int = 1


def known_cpu(facts: Capabilities) -> bool:
    """Return whether a host's processor is one that the engine knows at all."""
    return any(flag.startswith("model_") for flag in facts.cpu_flags)


def cpu_type(facts: Capabilities) -> str | None:
    """Return the best type of processor that a host can be, whatever its cluster is; None when there is none."""
    flags = set(facts.cpu_flags)
    fitting = [cpu.name for cpu in CPUS if flags.issuperset(cpu.flags)]
    return fitting[-1] if fitting else None


def misfit(host: Host, facts: Capabilities, cluster: Cluster, levels: tuple[str, ...]) -> Misfit | None:
    """Return the first thing that does not fit; what the processor lacks is seen before versions are compared."""
    if not facts.kvm_enabled:
        text = f"Host {host.name} running without virtualization hardware acceleration"
        return Misfit("kvm_not_running", 127, text)
    if MANAGEMENT not in facts.networks:
        text = (
            f"Host {host.name} does not comply with the cluster {cluster.name} networks, the following networks are "
            f"missing on host: '{MANAGEMENT}'"
        )
        return Misfit("network_unreachable", 519, text)
    if not known_cpu(facts):
        text = (
            f"Host {host.name} moved to Non-Operational state as host CPU type is not supported in this cluster "
            "compatibility version or is not supported at all"
        )
        # The engine finds it four times over while the host comes up.
        return Misfit("cpu_type_unsupported_in_this_cluster_version", 156, text, times=4)
    return _too_old(host, facts, cluster, levels)


def _too_old(host: Host, facts: Capabilities, cluster: Cluster, levels: tuple[str, ...]) -> Misfit | None:
    release = ".".join(re.findall(r"\d+", facts.vdsm_version)[:2])
    if release not in SUPPORTED_VDSM:
        text = (
            f"Host {host.name} is installed with VDSM version ({release}) and cannot join cluster {cluster.name} "
            f"which is compatible with VDSM versions [{', '.join(SUPPORTED_VDSM)}]."
        )
        return Misfit("version_incompatible_with_cluster", 141, text, after_up=True)
    wanted = f"{cluster.version[0]}.{cluster.version[1]}"
    if wanted in levels:
        return None
    text = (
        f"Host {host.name} is compatible with versions ({','.join(levels)}) and cannot join Cluster {cluster.name} "
        f"which is set to version {wanted}."
    )
    return Misfit("cluster_version_incompatible_with_cluster", 154, text, after_up=True)
