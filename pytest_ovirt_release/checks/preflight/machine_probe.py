"""Machines over SSH: login, clock, vdsm, and the storage that a node serves. Nothing is written there.

The NFS export is mounted read-only inside a mount namespace of one shell: it is gone with that shell, however it
ends, and no other process of the node ever sees it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks import registration
from pytest_ovirt_release.checks.node import Remote
from pytest_ovirt_release.checks.preflight.findings import (
    NO_COMMAND,
    Finding,
    clock,
    folder_fits,
    installed,
    node_key,
    read_folder,
    storage_key,
)
from pytest_ovirt_release.errors import ReleaseError, Unproven

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ovirt_release.checks.node import Result
    from pytest_ovirt_release.checks.preflight.probe import Asked
    from pytest_ovirt_release.target.model import NfsTarget, NodeTarget, SshTarget

FOLDER_SCRIPT = (
    """stat -c 'folder %u %g %a' -- "$1" && df -Pk -- "$1" && """
    """setpriv --reuid=36 --regid=36 --clear-groups ls -A -- "$1"\n"""
)
"""Says owner, group and mode of the folder "$1", its file system's free KiB, then the names in it, as vdsm sees them."""

EXPORT_SCRIPT = 'mount -t nfs -o "$2" -- "$3" "$1" || exit 3\n' + FOLDER_SCRIPT
"""The same of the export "$3", mounted on "$1" with the options "$2"."""

IN_OWN_NAMESPACE = ("unshare", "--mount", "--propagation", "private")
MOUNT_POINT = "/mnt"
NOT_MOUNTED = 3
MOUNT_OPTIONS = "ro,soft,nosuid,nodev,noexec,timeo=20,retrans=1,retry=0"


def look_at_machine(asked: Asked, ssh: SshTarget) -> Sequence[Finding]:
    """Return what was found of the engine's machine: login and clock."""
    with Remote(ssh, name="engine machine", met=asked.met, seconds=asked.seconds, flag=asked.flag) as machine:
        return tuple(_reached(machine, "engine machine", ()))


def look_at_node(asked: Asked, node: NodeTarget, *, exports: bool) -> Sequence[Finding]:
    """Return what was found of a node; `exports` says whether it is the one to look at the NFS export."""
    with Remote(node.ssh, name=node.name, met=asked.met, seconds=asked.seconds, flag=asked.flag) as remote:
        return tuple(_look(asked, node, remote, exports=exports))


def _look(asked: Asked, node: NodeTarget, remote: Remote, *, exports: bool) -> Iterator[Finding]:
    what, blocks = f"node {node.name}", (node_key(node.name),)
    reached = tuple(_reached(remote, what, blocks))
    yield from reached
    if reached[0].state == "wrong":
        return
    registration.node_facts(remote, asked.met)
    yield from _vdsm(asked, node, remote)
    storage = asked.target.storage
    if node.serves("local") and storage.local_path is not None:
        yield _local(remote, what, storage.local_path)
    if exports and storage.nfs is not None:
        yield _export(remote, storage.nfs, asked.seconds)


def _reached(remote: Remote, what: str, blocks: tuple[str, ...]) -> Iterator[Finding]:
    before = time.time()
    try:
        result = remote.run(["date", "+%s"])
    except (Unproven, ReleaseError) as error:
        todo = "check [ssh] of it in the target file, and that this machine can reach it"
        yield Finding(f"{what} SSH", "wrong", str(error), todo, blocks)
        return
    yield Finding(f"{what} SSH", "works", f"{remote.ssh.user} may log in, its host key is the pinned one")
    said = result.stdout.strip()
    if result.ok and said.isdecimal():
        yield clock(f"{what} clock", float(said), before - 1, time.time(), blocks)
    else:
        yield Finding(f"{what} clock", "not seen", f"it does not tell its time: {_said(result)}")


def _vdsm(asked: Asked, node: NodeTarget, remote: Remote) -> Iterator[Finding]:
    what, blocks = f"node {node.name} vdsm", (node_key(node.name),)
    if node.registered_by == "command" and remote.run(["vdsm-tool", "vdsm-id"]).status in NO_COMMAND:
        todo = "install vdsm of the candidate on it"
        yield Finding(what, "wrong", "there is no vdsm-tool, which registers it", todo, blocks)
        return
    if not (wanted := asked.versions.get("vdsm")):
        return
    result = remote.run(["rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", "vdsm"])
    if result.ok:
        yield installed(what, result.stdout.strip(), wanted, blocks)
    else:
        yield Finding(what, "not seen", f"its version is not known: {_said(result)}")


def _local(remote: Remote, node: str, path: str) -> Finding:
    what, blocks = f"{node} local_path", (storage_key("local"),)
    result = remote.run(["sh", "-c", FOLDER_SCRIPT, "sh", path])
    if (folder := read_folder(result)) is not None:
        return folder_fits(what, path, folder, blocks)
    if "No such file" in result.stderr:
        return Finding(what, "wrong", f"there is no {path}", "make it, owned by 36:36, mode 0755", blocks)
    if "Permission denied" in result.stderr:
        return Finding(what, "wrong", f"vdsm cannot read {path}", "chown 36:36 and chmod 0755 it", blocks)
    return Finding(what, "not seen", f"it cannot be looked at: {_said(result)}")


def _export(remote: Remote, nfs: NfsTarget, seconds: float) -> Finding:
    export, blocks = f"{nfs.address}:{nfs.path}", (storage_key("nfs"),)
    words = [*IN_OWN_NAMESPACE, "sh", "-c", EXPORT_SCRIPT, "sh", MOUNT_POINT, _options(nfs), export]
    try:
        result = remote.run(words, seconds)
    except Unproven as error:
        return Finding(
            "storage nfs", "wrong", f"{export} does not answer: {error}", "check the server", blocks
        )
    if (folder := read_folder(result)) is not None:
        return folder_fits("storage nfs", export, folder, blocks)
    if result.status == NOT_MOUNTED:
        todo = "check address, path and version of [storage.nfs], and who may mount it"
        return Finding(
            "storage nfs", "wrong", f"{remote.name} cannot mount {export}: {_said(result)}", todo, blocks
        )
    return Finding(
        "storage nfs", "not seen", f"{export} cannot be looked at from {remote.name}: {_said(result)}"
    )


def _said(result: Result) -> str:
    """Return how a command ended, without the command: our scripts say nothing to a tester."""
    return f"status {result.status}, {' '.join(result.stderr.split())[-200:] or 'no message'}"


def _options(nfs: NfsTarget) -> str:
    """Return the mount options: the target's version, for a server may answer one and not the other."""
    version = "" if nfs.version == "auto" else f",vers={nfs.version.removeprefix('v').replace('_', '.')}"
    return MOUNT_OPTIONS + version
