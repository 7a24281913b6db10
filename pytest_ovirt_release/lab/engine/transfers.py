"""The collection /imagetransfers: bytes go over the node's imageio daemon, the engine only opens and closes tickets.

Phases as the real engine has them: initializing, transferring, finalizing_success, finished_success; a cancelled one
ends in finished_cleanup. Events of transfers were not recorded, so none are made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import Call, Reply, acted, created, entity, get, listing
from pytest_ovirt_release.lab.engine.disks import FORMATS
from pytest_ovirt_release.lab.engine.document import Node, link
from pytest_ovirt_release.lab.engine.fault import conflict, incomplete, not_implemented
from pytest_ovirt_release.lab.engine.images import storage_host, volume_of
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.start_checks import illegal_disks
from pytest_ovirt_release.lab.engine.state import Transfer
from pytest_ovirt_release.lab.engine.storage import storage_task, wrong_status
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Disk, Host

DIRECTIONS = ("download", "upload")
POLICIES = ("legacy", "pause", "cancel")
OPENING_SECONDS = 1.0
CLOSING_SECONDS = 1.0
OPEN = ("initializing", "transferring")


def transfer_node(transfer: Transfer, prefix: str) -> Node:
    """Return `<image_transfer>`; the URL is there once bytes may flow, and only then."""
    url = transfer.url if transfer.phase == "transferring" else None
    host = transfer.host
    return entity(
        "image_transfer",
        f"{prefix}/imagetransfers/{transfer.id}",
        transfer.id,
        action_names=known.TRANSFER_ACTIONS,
        head={},
        fields={
            "active": transfer.active,
            "direction": transfer.direction,
            "format": transfer.format,
            "inactivity_timeout": transfer.inactivity_timeout,
            "phase": transfer.phase,
            "shallow": False,
            "timeout_policy": transfer.timeout_policy,
            "transfer_url": url,
            "transferred": 0,
            "disk": link("disk", f"{prefix}/disks/{transfer.disk}", transfer.disk),
            "host": link("host", f"{prefix}/hosts/{host}", host) if host else None,
            "image": Node("image", {"id": transfer.disk}),
        },
    )


async def list_transfers(core: Core, call: Call) -> Reply:
    """GET /imagetransfers."""
    items = list(core.state.transfers.values())[: call.limit()]
    return listing("image_transfers", (transfer_node(item, call.prefix) for item in items))


async def get_transfer(core: Core, call: Call) -> Reply:
    """GET /imagetransfers/{id}."""
    return Reply(transfer_node(get(core.state.transfers, call.ids[0]), call.prefix))


async def add_transfer(core: Core, call: Call) -> Reply:
    """POST /imagetransfers for a disk; the disk is locked until the transfer has ended."""
    body = call.body
    named = body.child("disk") or body.child("image")
    if named is None or named.id is None:
        raise incomplete("ImageTransfer", ["disk.id|image.id"])
    direction = body.one_of("direction", "ImageTransferDirection", DIRECTIONS) or "upload"
    shape = body.one_of("format", "DiskFormat", FORMATS)
    policy = body.one_of("timeout_policy", "ImageTransferTimeoutPolicy", POLICIES) or "legacy"
    disk = get(core.state.disks, named.id)
    _check(core, disk)
    if (shape or disk.format) != "raw":
        raise not_implemented(f"{call.method} {call.path} with format cow")
    transfer = Transfer(core.ids.uuid("transfer"), disk.id, direction, "raw", timeout_policy=policy)
    transfer.inactivity_timeout = body.number("inactivity_timeout") or transfer.inactivity_timeout
    disk.status, disk.locked_for = "locked", transfer.id
    core.state.transfers[transfer.id] = transfer
    wanted = body.child("host")
    core.spawn(_open(core, transfer, disk, None if wanted is None else wanted.id))
    return created(transfer_node(transfer, call.prefix))


def _check(core: Core, disk: Disk) -> None:
    """Refuse what the engine refuses, in its order."""
    if disk.status == "illegal":
        raise illegal_disks("Cannot transfer Virtual Disk", [disk.name])
    domain = core.state.storage_domains[disk.domain]
    if domain.status != "active":
        raise wrong_status("Cannot transfer Virtual Disk", domain)
    plugged = [
        vm.name
        for vm in core.state.vms_with(disk.id)
        if vm.status != "down" and any(item.disk == disk.id and item.active for item in vm.attachments)
    ]
    if plugged:
        raise conflict(
            f"Cannot transfer Virtual Disk. The disk {disk.name} is plugged to non-Down VMs: {', '.join(plugged)}"
        )
    if disk.status == "locked":
        raise conflict(
            f"Cannot transfer Virtual Disk: The following disks are locked: {disk.name}. "
            "Please try again in a few minutes."
        )


def _host(core: Core, disk: Disk, wanted: str | None) -> Host:
    host = core.state.hosts.get(wanted or "")
    return host if host is not None and host.status == "up" else storage_host(core, disk.domain)


async def _open(core: Core, transfer: Transfer, disk: Disk, wanted: str | None) -> None:
    """Open the ticket on a node; one that cannot ends as finished_failure."""
    operation = "write" if transfer.direction == "upload" else "read"
    ticket_id = core.ids.uuid("ticket")
    try:
        host = _host(core, disk, wanted)
        verb = core.node(host).add_image_ticket(
            ticket_id,
            volume_of(disk),
            disk.provisioned_size,
            "write" if operation == "write" else "read",
        )
        ticket = await core.ask(verb)
        await core.sleep(OPENING_SECONDS)
    except VdsmError as error:
        core.event(10802, f"VDSM command AddImageTicketVDS failed: {error.message}", user="nobody")
        transfer.phase = "finished_failure"
        _release(disk, transfer, "illegal" if transfer.direction == "upload" else "ok")
        return
    transfer.ticket, transfer.url, transfer.host = ticket.id, ticket.url, host.id
    if transfer.phase == "initializing":
        transfer.phase, transfer.active = "transferring", True
    else:
        await _close(core, transfer, "finished_cleanup")


def _release(disk: Disk | None, transfer: Transfer, status: str) -> None:
    if disk is not None and disk.locked_for == transfer.id:
        disk.status, disk.locked_for = status, ""


async def _close(core: Core, transfer: Transfer, phase: str) -> None:
    """Close the ticket; only then is the disk the engine's again."""
    disk = core.state.disks.get(transfer.disk)
    domain = core.state.storage_domains.get(disk.domain) if disk is not None else None
    done = phase == "finished_success"
    try:
        async with storage_task(core, domain.data_center if domain else None):
            if transfer.ticket is not None and transfer.host is not None:
                host = core.state.hosts[transfer.host]
                await core.ask(core.node(host).remove_image_ticket(transfer.ticket))
            await core.sleep(CLOSING_SECONDS)
    except VdsmError as error:
        core.event(10802, f"VDSM command RemoveImageTicketVDS failed: {error.message}", user="nobody")
        done, phase = False, "finished_failure"
    transfer.phase, transfer.active = phase, False
    _release(disk, transfer, "ok" if done or transfer.direction == "download" else "illegal")


async def finalize(core: Core, call: Call) -> Reply:
    """POST finalize."""
    transfer = get(core.state.transfers, call.ids[0])
    if transfer.phase != "transferring":
        raise conflict(
            "Cannot finalize Image Transfer. The transfer is not in a phase that can be finalized."
        )
    transfer.phase = "finalizing_success"
    core.spawn(_close(core, transfer, "finished_success"))
    return acted(call, None, _target(transfer, call.prefix))


async def cancel(core: Core, call: Call) -> Reply:
    """POST cancel: what was uploaded so far is no image; the disk becomes illegal."""
    transfer = get(core.state.transfers, call.ids[0])
    if transfer.phase not in OPEN:
        raise conflict("Cannot cancel Image Transfer. The transfer is not in a phase that can be cancelled.")
    opened = transfer.phase == "transferring"
    transfer.phase = "finalizing_cleanup"
    if opened:
        core.spawn(_close(core, transfer, "finished_cleanup"))
    return acted(call, None, _target(transfer, call.prefix))


async def pause(core: Core, call: Call) -> Reply:
    """POST pause: never of a download, which its client handles; of an upload it is left out."""
    transfer = get(core.state.transfers, call.ids[0])
    if transfer.direction == "download":
        raise conflict(
            "Cannot pause image download as it's handled by the client. Note that it can be canceled if you wish to "
            "stop it."
        )
    raise not_implemented(f"{call.method} {call.path} of an upload")


async def resume(core: Core, call: Call) -> Reply:
    """POST resume: nothing is ever paused."""
    get(core.state.transfers, call.ids[0])
    raise conflict("Cannot resume image transfer as it's not in a paused state.")


def _target(transfer: Transfer, prefix: str) -> Node:
    return link("image_transfer", f"{prefix}/imagetransfers/{transfer.id}", transfer.id)


ROUTES = (
    Route("GET", "imagetransfers", list_transfers),
    Route("POST", "imagetransfers", add_transfer, "image_transfer"),
    Route("GET", "imagetransfers/*", get_transfer),
    Route("POST", "imagetransfers/*/finalize", finalize, "action"),
    Route("POST", "imagetransfers/*/cancel", cancel, "action"),
    Route("POST", "imagetransfers/*/pause", pause, "action"),
    Route("POST", "imagetransfers/*/resume", resume, "action"),
)
