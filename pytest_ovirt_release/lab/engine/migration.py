"""Where a running VM could go: nowhere, as recorded. What a migration does when there is a place is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.fault import Fault, bad, conflict, entity_not_found, not_implemented
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.running import find_vm
from pytest_ovirt_release.lab.engine.start_checks import NO_HOSTS

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.call import Call, Reply
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import Host


async def migrate(core: Core, call: Call) -> Reply:
    """POST migrate: refused as recorded; to where it would go is not part of this lab."""
    vm = find_vm(core, call, "MigrateVmCommand")
    wanted = call.body.child("host")
    target = None if wanted is None else _wanted(core, wanted)
    source = core.state.hosts.get(vm.host or "")
    if source is not None and target not in (None, source.id):
        raise not_implemented(f"{call.method} {call.path} to another host")
    with core.job(f"Migrating VM {vm.name}"):
        try:
            if source is None:
                raise conflict("Cannot migrate VM. VM is not running.")
            if target is not None:
                raise bad(NO_HOSTS)
            raise conflict(f"Cannot migrate VM. {nowhere_to_go(core, source)}")
        except Fault as fault:
            where = source.name if source else "<UNKNOWN>"
            text = f"Migration failed due to a failed validation: {fault.detail} (VM: {vm.name}, Source: {where})."
            core.event(65, text, call.correlation, vm=vm)
            raise


def _wanted(core: Core, named: Body) -> str:
    name = named.text("name")
    for host in core.state.hosts.values():
        if host.id == named.id or (named.id is None and host.name == name):
            return host.id
    raise entity_not_found(str(named.id or name))


def nowhere_to_go(core: Core, source: Host) -> str:
    """Return the scheduler's words: one line for each other host that is up, all with the first one's name.

    That the names are the same is a mistake of the real engine (recorded).
    """
    hosts = [host for host in core.state.hosts.values() if host.cluster == source.cluster]
    others = [host for host in hosts if host.status == "up" and host is not source] or [source]
    line = f", The host {others[0].name} did not satisfy internal filter Migration because it currently hosts the VM.."
    text = "There is no host that satisfies current scheduling constraints. See below for details:"
    return text + line * len(others)


ROUTES = (Route("POST", "vms/*/migrate", migrate, "action"),)
