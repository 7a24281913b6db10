"""The collection /hosts/{id}/statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, get, listing
from pytest_ovirt_release.lab.engine.document import node
from pytest_ovirt_release.lab.engine.host_parts import owner, part_id
from pytest_ovirt_release.lab.engine.router import Route

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core

BYTES, PERCENT, PLAIN = ("integer", "bytes"), ("decimal", "percent"), ("integer", "none")
STATISTICS: tuple[tuple[str, str, tuple[str, str]], ...] = (
    ("memory.total", "Total memory", BYTES),
    ("memory.used", "Used memory", BYTES),
    ("memory.free", "Free memory", BYTES),
    (
        "memory.shared",
        "The amount of memory, in bytes, shared among Virtual-Machines on this Host by Kernel Same-page Merging (KSM)",
        BYTES,
    ),
    ("swap.total", "Total swap", BYTES),
    ("swap.free", "Free swap", BYTES),
    ("swap.used", "Used swap", BYTES),
    ("ksm.cpu.current", "KSM CPU usage", PERCENT),
    ("cpu.current.user", "User CPU usage", PERCENT),
    ("cpu.current.system", "System CPU usage", PERCENT),
    ("cpu.current.idle", "Idle CPU usage", PERCENT),
    ("cpu.load.avg.5m", "CPU 5 minute load average", PERCENT),
    ("boot.time", "Boot time of the machine", PLAIN),
    ("hugepages.2048.free", "Amount of free huge pages of the given size", PLAIN),
    ("hugepages.2048.total", "Amount of total huge pages of the given size", PLAIN),
)


async def statistics(core: Core, call: Call) -> Reply:
    """GET statistics: the lab measures memory only, everything else is at rest."""
    host = get(core.state.hosts, call.ids[0])
    memory = host.capabilities.memory if host.capabilities else 0
    values = {"memory.total": memory, "memory.free": memory, "cpu.current.idle": 100}
    items = []
    for name, description, (kind, unit) in STATISTICS:
        id_ = part_id(host, name)
        item = node("statistic", href=f"{call.prefix}/hosts/{host.id}/statistics/{id_}", id=id_)
        item.add({"name": name, "description": description, "kind": "gauge", "type": kind, "unit": unit})
        item.add({"values": {"value": {"datum": values.get(name, 0)}}, "host": owner(host, call.prefix)})
        items.append(item)
    return listing("statistics", items)


ROUTES = (Route("GET", "hosts/*/statistics", statistics),)
