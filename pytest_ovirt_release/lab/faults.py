"""Every fault the lab can show on request, and what it must disprove.

`disproves` names requirements (all of their cells) or single cells. Every other cell must stay as it was, or
be *blocked* where the page's `needs` says so; `tests/controls` asserts set equality on verdict.json.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ovirt_release.errors import ReleaseError


@dataclass(frozen=True)
class Fault:
    """One thing the lab breaks on purpose."""

    name: str
    disproves: tuple[str, ...]
    breaks: str


TABLE = (
    Fault("untagged-component", ("source-tag[vdsm]",), "vdsm's repository has no tag of this release"),
    Fault(
        "tag-on-other-commit",
        ("source-tag[ovirt-engine]",),
        "the tag names another commit than the candidate",
    ),
    Fault("unsigned-tarball", ("source-tarball-signed[vdsm]",), "vdsm's tarball has no signature file"),
    Fault(
        "tarball-signed-by-stranger",
        ("source-tarball-signed[vdsm]",),
        "vdsm's tarball carries a good signature by a key that holds no role",
    ),
    Fault(
        "expired-signing-key",
        ("source-tarball-signed", "binary-tarball"),
        "the release signer's key had expired when the tarballs were signed",
    ),
    Fault(
        "tarball-differs-from-tag",
        ("source-tarball-signed[ovirt-node]",),
        "ovirt-node's signed tarball holds a file that the tag's tree does not",
    ),
    Fault("notes-after-branch", ("release-notes[vdsm]",), "vdsm's notes are younger than its release branch"),
    Fault(
        "binary-tarball-missing", ("binary-tarball[ovirt-node]",), "ovirt-node's binary tarball is not there"
    ),
    Fault(
        "package-tampered", ("distro-builds[fedora-16]",), "a package differs from its repository's checksum"
    ),
    Fault(
        "repository-unsigned", ("distro-builds[debian-7]",), "the repository's metadata carries no signature"
    ),
    Fault(
        "ca-mismatch", ("ssl-setup",), "the engine's certificate was signed by another CA than the target's"
    ),
    Fault("pki-script-fails", ("ssl-setup",), "the release's PKI script ends without a certificate"),
    Fault(
        "database-script-fails", ("database-creation",), "the release's database script stops in mid-schema"
    ),
    Fault("service-disabled", ("easy-installation",), "the engine's service is installed but not enabled"),
    Fault(
        "node-never-registers", ("node-registers",), "the nodes ask, the engine answers OK and forgets them"
    ),
    Fault("approve-fails", ("node-approved",), "the engine cannot install the hosts it approves"),
    Fault(
        "host-up-then-non-operational",
        ("node-approved",),
        "the hosts come up for a moment and turn non_operational",
    ),
    Fault("nfs-mount-fails", ("vm-on-nfs",), "the node cannot mount the NFS export"),
    Fault(
        "local-disk-lost",
        ("vm-on-local", "node-runs-vm[node-2]"),
        "what is written to a local storage domain is gone when it is read back",
    ),
    Fault(
        "guest-never-executes",
        ("vm-on-nfs", "vm-on-local", "node-runs-vm"),
        "the VM reaches up and its events look fine, but no processor ever ran",
    ),
    Fault(
        "vm-created-with-uefi",
        ("vm-on-nfs", "vm-on-local", "node-runs-vm"),
        "the engine gives every VM a UEFI firmware, whatever was asked",
    ),
    Fault(
        "guest-on-wrong-node",
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
