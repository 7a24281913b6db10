"""What a VM's host says of it, made into the engine's states and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.state import now
from pytest_ovirt_release.lab.engine.vm_view import RESTING

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Vm
    from pytest_ovirt_release.lab.node.verbs import VmStats

STATUS = {
    "WaitForLaunch": "wait_for_launch",
    "Powering up": "powering_up",
    "Up": "up",
    "Powering down": "powering_down",
    "Down": "down",
    "Paused": "paused",
    "RebootInProgress": "reboot_in_progress",
    "Saving State": "saving_state",
}


def shown_status(vm: Vm) -> str:
    """Return a VM's status as refusals write it: `Reboot in Progress`, `Wait for Launch`."""
    words = (word if word in {"in", "for"} else word.capitalize() for word in vm.status.split("_"))
    return " ".join(words)


def observe(core: Core, vm: Vm, stats: VmStats) -> None:
    """Take over what a host says of a VM."""
    if vm.stopping or vm.status in RESTING:
        return
    status = STATUS[stats.status]
    if status == "down":
        ended(core, vm, stats)
        return
    vm.status = status
    if status == "up" and not vm.announced:
        vm.announced = True
        host = core.state.hosts[vm.host or ""]
        core.event(32, f"VM {vm.name} started on Host {host.name}", vm.run_correlation, vm=vm)


def ended(core: Core, vm: Vm, stats: VmStats | None) -> None:
    """Record that a VM is down: by itself (the host's exit message) or by our hand."""
    if vm.status in RESTING:
        return
    host = core.state.hosts.get(vm.host or "")
    vm.status, vm.host, vm.stop_time = "down", None, now()
    vm.run_once = vm.stopping = False
    if stats is None:
        core.event(61, f"VM {vm.name} is down.  ", user="nobody", vm=vm, host=host)
    elif stats.exit_code:
        text = f"VM {vm.name} is down with error. Exit message: {stats.exit_message}."
        core.event(119, text, user="nobody", vm=vm, host=host)
    else:
        text = f"VM {vm.name} is down. Exit message: {stats.exit_message}"
        core.event(61, text, user="nobody", vm=vm, host=host)
