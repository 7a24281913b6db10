"""What every engine is set up with: fixed ids, the pool of MAC addresses, network filters, scheduling policies."""

from __future__ import annotations

from dataclasses import dataclass

MANAGEMENT_NETWORK = "00000000-0000-0000-0000-000000000009"
"""Of the data center Default; other data centers get a network of their own."""

MANAGEMENT_PROFILE = "0000000a-000a-000a-000a-000000000398"
MAC_POOL = "58ca604b-017d-0374-0220-00000000014e"
MAC_RANGE = ("56:6f:1a:2b:00:00", "56:6f:1a:2b:ff:ff")
MINIMAL_DOWNTIME = "80554327-0569-496b-bdeb-fcbbf52b827b"
"""The migration policy of the cluster Default."""

NO_MAC_SPOOFING = "d2370ab4-fee3-11e9-a310-8c1645ce738e"
"""The network filter that a management network's profile has."""

DEFAULT_POLICY = "b4ed2332-a7ac-4d5f-9596-99a439cb2812"


@dataclass(frozen=True)
class NetworkFilter:
    """A filter of libvirt's, and the libvirt version it came with."""

    id: str
    name: str
    version: tuple[int, int] = (3, 6)


@dataclass(frozen=True)
class SchedulingPolicy:
    """A scheduling policy that comes with the engine."""

    id: str
    name: str
    properties: tuple[tuple[str, str], ...]


NETWORK_FILTERS = (
    NetworkFilter(NO_MAC_SPOOFING, "vdsm-no-mac-spoofing", (3, 2)),
    NetworkFilter("28f68874-e696-11f1-bd55-02fc00000001", "allow-arp"),
    NetworkFilter("28f68e3c-e696-11f1-bd55-02fc00000001", "allow-dhcp"),
    NetworkFilter("28f696e8-e696-11f1-bd55-02fc00000001", "allow-incoming-ipv4"),
    NetworkFilter("28f69a58-e696-11f1-bd55-02fc00000001", "allow-ipv4"),
    NetworkFilter("28f69d8c-e696-11f1-bd55-02fc00000001", "clean-traffic"),
    NetworkFilter("28f6a0d4-e696-11f1-bd55-02fc00000001", "no-arp-ip-spoofing"),
    NetworkFilter("28f6a408-e696-11f1-bd55-02fc00000001", "no-arp-mac-spoofing"),
    NetworkFilter("28f6a728-e696-11f1-bd55-02fc00000001", "no-arp-spoofing"),
    NetworkFilter("28f6aa7a-e696-11f1-bd55-02fc00000001", "no-ip-multicast"),
    NetworkFilter("28f6ad9a-e696-11f1-bd55-02fc00000001", "no-ip-spoofing"),
    NetworkFilter("28f6b0d8-e696-11f1-bd55-02fc00000001", "no-mac-broadcast"),
    NetworkFilter("28f6b3f8-e696-11f1-bd55-02fc00000001", "no-mac-spoofing"),
    NetworkFilter("28f6b72c-e696-11f1-bd55-02fc00000001", "no-other-l2-traffic"),
    NetworkFilter("28f6ba4c-e696-11f1-bd55-02fc00000001", "no-other-rarp-traffic"),
    NetworkFilter("28f6bd44-e696-11f1-bd55-02fc00000001", "qemu-announce-self"),
    NetworkFilter("28f6c046-e696-11f1-bd55-02fc00000001", "qemu-announce-self-rarp"),
    NetworkFilter("396a099c-e696-11f1-ae56-02fc00000001", "clean-traffic-gateway", (4, 2)),
)

HIGH, DURATION, SPARES = (
    ("HighUtilization", "80"),
    ("CpuOverCommitDurationMinutes", "2"),
    ("HeSparesCount", "0"),
)
SCHEDULING_POLICIES = (
    SchedulingPolicy(
        "5a2b0939-7d46-4b73-a469-e9c2c7fc6a53",
        "power_saving",
        (HIGH, ("LowUtilization", "20"), SPARES, DURATION),
    ),
    SchedulingPolicy(DEFAULT_POLICY, "none", (HIGH, DURATION)),
    SchedulingPolicy("7677771e-5eab-422e-83fa-dc04080d21b7", "cluster_maintenance", (HIGH, DURATION)),
    SchedulingPolicy(
        "20d25257-b4bd-4589-92a6-c4c5c5d3fd1a",
        "evenly_distributed",
        (HIGH, SPARES, DURATION, ("VCpuToPhysicalCpuRatio", "0")),
    ),
    SchedulingPolicy(
        "8d5d7bec-68de-4a67-b53e-0ac54686d579",
        "vm_evenly_distributed",
        (HIGH, SPARES, DURATION, ("HighVmCount", "10"), ("SpmVmGrace", "5"), ("MigrationThreshold", "5")),
    ),
)
