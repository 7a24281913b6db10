"""Every fault the lab can show on request, and what it must disprove.

`disproves` names requirements (all of their cells) or single cells. Every other cell must stay as it was, or
be *blocked* where the page's `needs` says so; `tests/controls` asserts set equality on verdict.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_ovirt_release.errors import ReleaseError

Lie = Literal[
    "missing",
    "wrong",
    "late",
    "silent success",
    "flapping",
    "half-done",
    "wrong node",
    "wrong storage",
    "stale answer",
    "expired",
    "signed by stranger",
    "revoked",
    "downgraded",
    "refused",
]
"""The kinds of lie that a release can tell; the table has at least one of each."""


@dataclass(frozen=True)
class Fault:
    """One thing the lab breaks on purpose."""

    name: str
    lie: Lie
    disproves: tuple[str, ...]
    breaks: str


TABLE = (
    Fault(
        "untagged-component", "missing", ("source-tag[vdsm]",), "vdsm's repository has no tag of this release"
    ),
    Fault(
        "tag-on-other-commit",
        "wrong",
        ("source-tag[ovirt-engine]",),
        "the tag names another commit than the candidate",
    ),
    Fault(
        "unsigned-tarball",
        "missing",
        ("source-tarball-signed[vdsm]",),
        "vdsm's tarball has no signature file",
    ),
    Fault(
        "tarball-signed-by-stranger",
        "signed by stranger",
        ("source-tarball-signed[vdsm]",),
        "vdsm's tarball carries a good signature by a key that holds no role",
    ),
    Fault(
        "expired-signing-key",
        "expired",
        ("source-tarball-signed", "binary-tarball"),
        "the release signer's key had expired when the tarballs were signed",
    ),
    Fault(
        "revoked-signing-key",
        "revoked",
        ("source-tarball-signed", "binary-tarball"),
        "the release signer's key has been revoked after it had signed the tarballs",
    ),
    Fault(
        "tarball-differs-from-tag",
        "wrong",
        ("source-tarball-signed[ovirt-node]",),
        "ovirt-node's signed tarball holds a file that the tag's tree does not",
    ),
    Fault(
        "notes-after-branch",
        "late",
        ("release-notes[vdsm]",),
        "vdsm's notes are younger than its release branch",
    ),
    Fault(
        "binary-tarball-missing",
        "missing",
        ("binary-tarball[ovirt-node]",),
        "ovirt-node's binary tarball is not there",
    ),
    Fault(
        "package-tampered",
        "wrong",
        ("distro-builds[fedora-16]",),
        "a package differs from its repository's checksum",
    ),
    Fault(
        "repository-unsigned",
        "missing",
        ("distro-builds[debian-7]",),
        "the repository's metadata carries no signature",
    ),
    Fault(
        "package-downgraded",
        "downgraded",
        ("distro-builds[fedora-16]",),
        "the repository still offers an older build of a package",
    ),
    Fault(
        "repository-expired",
        "stale answer",
        ("distro-builds[debian-7]",),
        "a mirror still shows the signed metadata of a month ago, whose validity has ended",
    ),
    Fault(
        "ca-mismatch",
        "signed by stranger",
        ("ssl-setup",),
        "the engine's certificate was signed by another CA than the target's",
    ),
    Fault(
        "pki-script-fails",
        "silent success",
        ("ssl-setup",),
        "the release's PKI script ends without a certificate",
    ),
    Fault(
        "database-script-fails",
        "half-done",
        ("database-creation",),
        "the release's database script stops in mid-schema",
    ),
    Fault(
        "service-disabled",
        "half-done",
        ("easy-installation",),
        "the engine's service is installed but not enabled",
    ),
    Fault(
        "node-never-registers",
        "silent success",
        ("node-registers",),
        "the nodes ask, the engine answers OK and forgets them",
    ),
    Fault("approve-fails", "refused", ("node-approved",), "the engine cannot install the hosts it approves"),
    Fault(
        "host-up-then-non-operational",
        "flapping",
        ("node-approved",),
        "the hosts come up for a moment and turn non_operational",
    ),
    Fault("nfs-mount-fails", "refused", ("vm-on-nfs",), "the node cannot mount the NFS export"),
    Fault(
        "local-disk-lost",
        "silent success",
        ("vm-on-local", "node-runs-vm[node-2]"),
        "what is written to a local storage domain is gone when it is read back",
    ),
    Fault(
        "guest-never-executes",
        "silent success",
        ("vm-on-nfs", "vm-on-local", "node-runs-vm"),
        "the VM reaches up and its events look fine, but no processor ever ran",
    ),
    Fault(
        "vm-created-with-uefi",
        "wrong",
        ("vm-on-nfs", "vm-on-local", "node-runs-vm"),
        "the engine gives every VM a UEFI firmware, whatever was asked",
    ),
    Fault(
        "vm-off-its-storage",
        "wrong storage",
        ("vm-on-nfs", "vm-on-local", "node-runs-vm"),
        "the node runs VMs from a copy of their disk that is not on the storage domain",
    ),
    Fault(
        "guest-on-wrong-node",
        "wrong node",
        ("node-runs-vm[node-1]",),
        "on shared storage the VM runs on another host than the one it is pinned to",
    ),
)

BY_NAME = {fault.name: fault for fault in TABLE}


def check_names(names: tuple[str, ...]) -> frozenset[str]:
    """Return the names as a set; ReleaseError lists all faults when one is unknown."""
    unknown = sorted(set(names) - set(BY_NAME))
    if unknown:
        raise ReleaseError(f"unknown fault {', '.join(unknown)}; the lab knows: {', '.join(sorted(BY_NAME))}")
    return frozenset(names)
