"""The event log: codes, severities and references as recorded, newest first, found by `search`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.document import Node, node
from pytest_ovirt_release.lab.engine.state import now, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ADMIN = "admin@internal-authz"
User = str
"""Who did it: `admin`, `nobody`, or a name the API has no object for, like SYSTEM."""

_VM = "cluster data_center host template user vm"
_HOST = "cluster host user"
_DOMAIN = "data_center storage_domain user"

KINDS: Mapping[int, tuple[str, str]] = {
    12: ("error", "host"),
    13: ("normal", "cluster data_center host user"),
    16: ("normal", _HOST),
    30: ("normal", "user"),
    31: ("normal", "user"),
    32: ("normal", _VM),
    33: ("normal", _VM),
    34: ("normal", "cluster data_center storage_domain template user vm"),
    35: ("normal", "cluster data_center template user vm"),
    42: ("normal", _HOST),
    43: ("normal", _HOST),
    44: ("normal", _HOST),
    53: ("normal", "cluster data_center storage_domain template user vm"),
    54: ("error", _VM),
    61: ("normal", "cluster host template vm"),
    65: ("error", _VM),
    73: ("normal", _VM),
    76: ("normal", _VM),
    78: ("normal", "cluster data_center storage_domain template user vm"),
    97: ("normal", "cluster data_center storage_domain template user vm"),
    111: ("normal", "cluster data_center template user vm"),
    113: ("normal", "cluster data_center template user vm"),
    114: ("error", "user"),
    119: ("error", "cluster host template vm"),
    127: ("error", _HOST),
    141: ("error", _HOST),
    151: ("warning", _VM),
    153: ("normal", _VM),
    154: ("error", _HOST),
    156: ("error", _HOST),
    157: ("normal", _VM),
    179: ("normal", _VM),
    191: ("warning", _DOMAIN),
    197: ("normal", _HOST),
    204: ("normal", "host"),
    254: ("normal", "cluster data_center template user vm"),
    498: ("normal", _HOST),
    501: ("normal", "cluster data_center host storage_domain template user vm"),
    503: ("normal", "cluster host template vm"),
    505: ("error", _HOST),
    522: ("warning", "cluster data_center host user"),
    504: ("normal", _HOST),
    519: ("warning", _HOST),
    559: ("normal", "cluster host"),
    560: ("normal", "host"),
    561: ("normal", "host"),
    562: ("normal", "host"),
    563: ("normal", "host"),
    600: ("normal", _HOST),
    602: ("warning", _HOST),
    606: ("normal", _HOST),
    618: ("error", "host"),
    620: ("normal", _HOST),
    809: ("normal", "cluster data_center user"),
    811: ("normal", "cluster user"),
    813: ("normal", "cluster user"),
    819: ("error", ""),
    826: ("error", ""),
    828: ("normal", ""),
    834: ("warning", ""),
    835: ("normal", "cluster user"),
    850: ("normal", "user"),
    930: ("normal", "cluster data_center template user vm"),
    932: ("normal", "cluster data_center template user vm"),
    1012: ("normal", "cluster data_center template user vm"),
    884: ("normal", _HOST),
    918: ("normal", "data_center user"),
    950: ("normal", "data_center user"),
    952: ("normal", "data_center user"),
    954: ("normal", "data_center user"),
    956: ("normal", "cluster data_center host storage_domain user"),
    957: ("error", "cluster data_center host storage_domain user"),
    960: ("normal", "cluster data_center host storage_domain user"),
    962: ("normal", "cluster data_center host storage_domain user"),
    963: ("error", "cluster data_center host storage_domain user"),
    964: ("normal", _DOMAIN),
    966: ("normal", _DOMAIN),
    968: ("normal", _DOMAIN),
    970: ("warning", _DOMAIN),
    981: ("normal", "storage_domain user"),
    983: ("warning", "data_center user"),
    984: ("normal", "data_center user"),
    986: ("warning", "data_center host user"),
    996: ("error", ""),
    1002: ("normal", "cluster data_center host user"),
    1003: ("error", "cluster data_center host user"),
    1029: ("normal", "data_center storage_domain"),
    1030: ("normal", _DOMAIN),
    1052: ("normal", _DOMAIN),
    1200: ("normal", "host"),
    2014: ("normal", _DOMAIN),
    2016: ("normal", "cluster data_center template user vm"),
    2018: ("normal", "cluster data_center template user vm"),
    2020: ("normal", _DOMAIN),
    2021: ("normal", _DOMAIN),
    2022: ("error", _DOMAIN),
    2036: ("normal", _DOMAIN),
    2042: ("normal", _DOMAIN),
    9000: ("alert", "host"),
    9027: ("warning", "host"),
    9502: ("normal", _HOST),
    10120: ("normal", "user"),
    10130: ("normal", "user"),
    10802: ("error", "host"),
    10780: ("normal", ""),
    11501: ("normal", "host"),
    13000: ("warning", "user"),
    14001: ("error", "user"),
}
"""Severity and references of each event code."""

COLLECTIONS = {
    "cluster": "clusters",
    "data_center": "datacenters",
    "host": "hosts",
    "storage_domain": "storagedomains",
    "template": "templates",
    "user": "users",
    "vm": "vms",
}


@dataclass(frozen=True)
class Event:
    """One line of the log; `references` are (kind, id, name), id empty for the user SYSTEM."""

    index: int
    code: int
    severity: str
    description: str
    correlation: str | None
    time: datetime
    references: tuple[tuple[str, str, str], ...]
    origin: str = "oVirt"
    custom_id: int = -1
    flood_rate: int = 0

    def named(self, kind: str) -> str:
        """Return the name of the object of this kind, or nothing."""
        return next((name for found, _, name in self.references if found == kind), "")


class EventLog:
    """The log, oldest first in memory."""

    def __init__(self) -> None:
        """Start empty; the first event gets index 1."""
        self.events: list[Event] = []

    def add(
        self,
        code: int,
        description: str,
        correlation: str | None,
        references: Mapping[str, tuple[str, str]],
    ) -> Event | None:
        """Append an event; of the references only those its code shows are kept.

        An alert about a host is not logged again while the log holds the same one about a host of that name.
        """
        severity, kinds = KINDS[code]
        kept = tuple((kind, *references[kind]) for kind in kinds.split() if kind in references)
        about = references.get("host", ("", ""))[1]
        if severity == "alert" and any(
            old.code == code and old.named("host") == about for old in self.events
        ):
            return None
        event = Event(len(self.events) + 1, code, severity, description, correlation, now(), kept)
        self.events.append(event)
        return event

    def newest_first(self, after: int = 0) -> list[Event]:
        """Return the events above an index, newest first."""
        return list(reversed(self.events[max(after, 0) :]))


def event_node(event: Event, prefix: str) -> Node:
    """Return `<event>`."""
    answer = node("event", href=f"{prefix}/events/{event.index}", id=str(event.index))
    answer.add(
        {
            "description": event.description,
            "code": event.code,
            "correlation_id": event.correlation,
            "custom_id": event.custom_id,
            "flood_rate": event.flood_rate,
            "index": event.index,
            "origin": event.origin,
            "severity": event.severity,
            "time": stamp(event.time),
        }
    )
    for kind, id_, name in event.references:
        attributes = {"href": f"{prefix}/{COLLECTIONS[kind]}/{id_}", "id": id_} if id_ else {}
        answer.children.append(Node(kind, attributes, [Node("name", text=name)]))
    return answer
