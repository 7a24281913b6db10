"""`<host>`: what the API shows of a host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import entity
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fitness import cpu_type
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Host
    from pytest_ovirt_release.lab.node.verbs import Capabilities

HOST_MEMORY_RESERVED = 321 * 1024 * 1024


def host_node(core: Core, host: Host, prefix: str, *, everything: bool = False) -> Node:
    """Return `<host>`; what only capabilities tell is absent or zero until they are known.

    `everything` adds what the engine tells only in answers to a change and when asked for all content.
    """
    fields = _first_half(host, everything=everything) | _second_half(core, host, prefix)
    return _host(host, prefix, {"name": host.name, "comment": host.comment}, fields)


def target_node(host: Host, prefix: str) -> Node:
    """Return the `<host>` of an action's answer: nothing but its actions and links."""
    return _host(host, prefix, {}, {})


def _host(host: Host, prefix: str, head: dict[str, str | None], fields: dict[str, object]) -> Node:
    return entity(
        "host",
        f"{prefix}/hosts/{host.id}",
        host.id,
        action_names=known.HOST_ACTIONS,
        link_names=known.HOST_LINKS,
        head=head,
        fields=fields,
    )


def _first_half(host: Host, *, everything: bool) -> dict[str, object]:
    facts = host.capabilities
    memory = facts.memory if facts else 0
    return {
        "address": host.address,
        "auto_numa_status": "enable" if facts else "unknown",
        "certificate": {"organization": LAB_BRAND, "subject": f"O={LAB_BRAND},CN={host.address}"},
        "cpu": _cpu(facts),
        "device_passthrough": {"enabled": False},
        "external_status": "ok",
        "hardware_information": _hardware(facts),
        "iscsi": {"initiator": facts.iscsi_initiator} if facts and facts.iscsi_initiator else None,
        "kdump_status": "disabled" if facts else "unknown",
        "ksm": {"enabled": False},
        "libvirt_version": _version(facts.libvirt_version) if facts and facts.libvirt_version else None,
        "max_scheduling_memory": max(memory - HOST_MEMORY_RESERVED, 0),
        "memory": memory,
        "network_operation_in_progress": False if everything else None,
        "numa_supported": False,
        "os": _os(facts),
        "ovn_configured": False,
        "port": host.vdsm_port,
    }


def _second_half(core: Core, host: Host, prefix: str) -> dict[str, object]:
    facts = host.capabilities
    vms = len(core.state.vms_on(host.id))
    return {
        "power_management": {
            "automatic_pm_enabled": True,
            "enabled": False,
            "kdump_detection": True,
            "pm_proxies": node("pm_proxies"),
        },
        "protocol": "stomp",
        "reinstallation_required": host.reinstallation_required,
        "se_linux": {"mode": "enforcing"} if facts else node("se_linux"),
        "spm": {"priority": 5, "status": host.spm_status},
        "ssh": {"fingerprint": host.ssh_fingerprint, "port": host.ssh_port, "public_key": host.ssh_key},
        "status": host.status,
        "status_detail": host.status_detail,
        "summary": {"active": vms, "migrating": 0, "total": vms} if facts else {"total": 0},
        "transparent_hugepages": {"enabled": facts is not None},
        "type": "rhel",
        "update_available": False,
        "version": _version(f"vdsm-{facts.vdsm_version.removeprefix('vdsm-')}") if facts else None,
        "vgpu_placement": "consolidated",
        "cluster": link("cluster", f"{prefix}/clusters/{host.cluster}", host.cluster),
    }


def _cpu(facts: Capabilities | None) -> Node:
    if facts is None:
        return node("cpu", {"speed": 0, "topology": node("topology")})
    topology = {"cores": facts.cpu_cores, "sockets": 1, "threads": 1}
    return node(
        "cpu",
        {"name": facts.cpu_model, "speed": 2600, "topology": topology, "type": cpu_type(facts)},
    )


def _hardware(facts: Capabilities | None) -> Node:
    if facts is None:
        return node("hardware_information", {"supported_rng_sources": node("supported_rng_sources")})
    hardware = facts.hardware
    sources = [node("supported_rng_source") for _ in facts.rng_sources]
    for source, name in zip(sources, facts.rng_sources, strict=True):
        source.text = name
    return node(
        "hardware_information",
        {
            "family": hardware.family,
            "manufacturer": hardware.manufacturer,
            "product_name": hardware.product_name or facts.hostname,
            "serial_number": hardware.serial_number or None,
            "supported_rng_sources": Node("supported_rng_sources", children=sources),
            "uuid": facts.uuid,
            "version": hardware.version or None,
        },
    )


def _os(facts: Capabilities | None) -> dict[str, object]:
    if facts is None:
        return {"custom_kernel_cmdline": "", "description": ""}
    brand = next((text for text in facts.facts.values() if LAB_BRAND in text), "")
    return {
        "custom_kernel_cmdline": "",
        "description": facts.pretty_name or f"{facts.os_name} {facts.os_version} {brand}".strip(),
        "reported_kernel_cmdline": facts.kernel_arguments or None,
        "type": facts.os_name,
        "version": {"full_version": facts.os_version, "major": _number(facts.os_version, 0)},
    }


def _version(text: str) -> dict[str, object]:
    return {
        "build": _number(text.split("-")[1] if text[:1].isalpha() else text.split("-", maxsplit=1)[0], 2),
        "full_version": text,
        "major": _number(text, 0),
        "minor": _number(text, 1),
        "revision": 0,
    }


def _number(text: str, place: int) -> int:
    numbers = re.findall(r"\d+", text)
    return int(numbers[place]) if len(numbers) > place else 0
