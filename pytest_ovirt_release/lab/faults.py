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
    """One thing the lab breaks on purpose; `says` stands in the text of every cell that it disproves."""

    name: str
    lie: Lie
    disproves: tuple[str, ...]
    breaks: str
    says: str


TABLE = (
    Fault(
        "untagged-component",
        "missing",
        ("source-tag[vdsm]",),
        "vdsm's repository has no tag of this release",
        "has no tag",
    ),
    Fault(
        "tag-on-other-commit",
        "wrong",
        ("source-tag[ovirt-engine]",),
        "the tag names another commit than the candidate",
        "names commit",
    ),
    Fault(
        "unsigned-tarball",
        "missing",
        ("source-tarball-signed[vdsm]",),
        "vdsm's tarball has no signature file",
        ".sig (HTTP 404)",
    ),
    Fault(
        "tarball-signed-by-stranger",
        "signed by stranger",
        ("source-tarball-signed[vdsm]",),
        "vdsm's tarball carries a good signature by a key that holds no role",
        "that is not pinned on the page",
    ),
    Fault(
        "expired-signing-key",
        "expired",
        ("source-tarball-signed", "binary-tarball"),
        "the release signer's key had expired when the tarballs were signed",
        "with a key that had already expired when it signed",
    ),
    Fault(
        "revoked-signing-key",
        "revoked",
        ("source-tarball-signed", "binary-tarball"),
        "the release signer's key has been revoked after it had signed the tarballs",
        "with a key that was revoked",
    ),
    Fault(
        "tarball-differs-from-tag",
        "wrong",
        ("source-tarball-signed[ovirt-node]",),
        "ovirt-node's signed tarball holds a file that the tag's tree does not",
        "only in the tarball: src/slipped_in.py",
    ),
    Fault(
        "notes-after-branch",
        "late",
        ("release-notes[vdsm]",),
        "vdsm's notes are younger than its release branch",
        "the notes are of",
    ),
    Fault(
        "binary-tarball-missing",
        "missing",
        ("binary-tarball[ovirt-node]",),
        "ovirt-node's binary tarball is not there",
        "-bin.tar.gz (HTTP 404)",
    ),
    Fault(
        "package-tampered",
        "wrong",
        ("distro-builds[fedora-16]",),
        "a package differs from its repository's checksum",
        "the repository's signed metadata says",
    ),
    Fault(
        "repository-unsigned",
        "missing",
        ("distro-builds[debian-7]",),
        "the repository's metadata carries no signature",
        "Release.gpg (HTTP 404)",
    ),
    Fault(
        "package-downgraded",
        "downgraded",
        ("distro-builds[fedora-16]",),
        "the repository still offers an older build of a package",
        "the candidate says ovirt-engine 3.0.0",
    ),
    Fault(
        "repository-expired",
        "stale answer",
        ("distro-builds[debian-7]",),
        "a mirror still shows the signed metadata of a month ago, whose validity has ended",
        "was valid until",
    ),
    Fault(
        "image-of-other-release",
        "downgraded",
        ("distro-builds[node-image]",),
        "the node's image, rightly signed and in the candidate, holds the volume of an older release",
        "has the volume id 'ovirt-node-image-0.9'",
    ),
    Fault(
        "image-signed-by-stranger",
        "signed by stranger",
        ("distro-builds[node-image]",),
        "the node's image carries a good signature by a key that holds no role",
        "that is not pinned on the page",
    ),
    Fault(
        "ca-mismatch",
        "signed by stranger",
        ("ssl-setup",),
        "the engine's certificate was signed by another CA than the target's",
        "does not verify",
    ),
    Fault(
        "pki-script-fails",
        "silent success",
        ("ssl-setup",),
        "the release's PKI script ends without a certificate",
        "the script ended without a certs/engine.cer",
    ),
    Fault(
        "database-script-fails",
        "half-done",
        ("database-creation",),
        "the release's database script stops in mid-schema",
        "ended with status 1",
    ),
    Fault(
        "service-disabled",
        "half-done",
        ("easy-installation",),
        "the engine's service is installed but not enabled",
        "'disabled'",
    ),
    Fault(
        "node-never-registers",
        "silent success",
        ("node-registers",),
        "the nodes ask, the engine answers OK and forgets them",
        "it did not come",
    ),
    Fault(
        "approve-fails",
        "refused",
        ("node-approved",),
        "the engine cannot install the hosts it approves",
        "Task Install packages failed to execute",
    ),
    Fault(
        "host-up-then-non-operational",
        "flapping",
        ("node-approved",),
        "the hosts come up for a moment and turn non_operational",
        "non_operational",
    ),
    Fault(
        "nfs-mount-fails",
        "refused",
        ("vm-on-nfs",),
        "the node cannot mount the NFS export",
        "Problem while trying to mount target",
    ),
    Fault(
        "local-disk-lost",
        "silent success",
        ("vm-on-local", "node-runs-vm[node-2]"),
        "what is written to a local storage domain is gone when it is read back",
        "what was written there is lost",
    ),
    Fault(
        "guest-never-executes",
        "silent success",
        ("vm-on-nfs", "vm-on-local", "node-runs-vm"),
        "the VM reaches up and its events look fine, but no processor ever ran",
        "nothing that ran on this disk wrote an answer",
    ),
    Fault(
        "vm-created-with-uefi",
        "wrong",
        ("vm-on-nfs", "vm-on-local", "node-runs-vm"),
        "the engine gives every VM a UEFI firmware, whatever was asked",
        "the engine kept q35_ovmf",
    ),
    Fault(
        "vm-off-its-storage",
        "wrong storage",
        ("vm-on-nfs", "vm-on-local", "node-runs-vm"),
        "the node runs VMs from a copy of their disk that is not on the storage domain",
        "its writes did not reach the storage",
    ),
    Fault(
        "guest-on-wrong-node",
        "wrong node",
        ("node-runs-vm[node-1]",),
        "on shared storage the VM runs on another host than the one it is pinned to",
        "but ran on host-0",
    ),
)

BY_NAME = {fault.name: fault for fault in TABLE}


def check_names(names: tuple[str, ...]) -> frozenset[str]:
    """Return the names as a set; ReleaseError lists all faults when one is unknown."""
    unknown = sorted(set(names) - set(BY_NAME))
    if unknown:
        from pytest_ovirt_release.release.mistakes import nearest  # noqa: PLC0415 - brings pydantic along

        near = "".join(nearest(name, BY_NAME) for name in unknown)
        raise ReleaseError(
            f"unknown fault {', '.join(unknown)}{near}; the lab knows: {', '.join(sorted(BY_NAME))}"
        )
    return frozenset(names)
