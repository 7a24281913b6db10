"""What a lab hands to whoever started it: an ordinary target file and everything that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.node.machine import LOCAL_STORAGE
from pytest_ovirt_release.local.postgres import write_private
from pytest_ovirt_release.release.page import PageOverlay
from pytest_ovirt_release.release.writing import to_toml, write_atomically
from pytest_ovirt_release.target.model import (
    Deadlines,
    EngineTarget,
    NfsTarget,
    NodeTarget,
    SshTarget,
    StorageTarget,
    Target,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.lab.composition import Lab

TARGET = "target.toml"
CANDIDATE = "candidate.toml"
OVERLAY = "page-overlay.toml"
CA = "ca.pem"
PASSWORD = "engine.password"  # noqa: S105 - a file's name

SHORTEST = 15.0
"""Seconds: no deadline is shorter, however fast the lab's clock, for the machine's own work stays as slow."""

UNSCALED = {"request": 30.0, "ssh": 30.0, "script": 120.0, "download": 60.0}
"""Deadlines in seconds of work that the lab's clock does not drive."""


def write(lab: Lab) -> Path:
    """Write the lab's files, the target file last; return its path. A reader never sees half of one."""
    folder = lab.folder
    (folder / CA).write_bytes(lab.pki.ca_pem)
    write_private(folder / PASSWORD, lab.admin_password + "\n")
    write_atomically(folder / CANDIDATE, to_toml(lab.site.candidate))
    overlay = PageOverlay(
        schema_name="ovirt-release-overlay/1",
        page=lab.page.id,
        places=lab.site.places,
        signers=lab.site.signers,
    )
    write_atomically(folder / OVERLAY, to_toml(overlay))
    write_atomically(folder / TARGET, to_toml(target(lab)))
    return folder / TARGET


def target(lab: Lab) -> Target:
    """Return the target: paths are absolute, the password is in a file of its own."""
    folder = lab.folder.resolve()
    return Target(
        schema_name="ovirt-release-target/1",
        name="lab",
        candidate=folder / CANDIDATE,
        page_overlay=folder / OVERLAY,
        run_release_scripts=True,
        engine=EngineTarget(
            url=lab.engine.url,
            ca_file=folder / CA,
            user=f"{lab.user}@internal",
            password_file=folder / PASSWORD,
            ssh=_ssh(lab, lab.machine.address, lab.machine.ssh_port, lab.machine.host_key),
        ),
        nodes=_nodes(lab),
        storage=StorageTarget(
            nfs=NfsTarget(address="127.0.0.1", path="/exports/data"), local_path=LOCAL_STORAGE
        ),
        deadlines=deadlines(lab.speed),
    )


def deadlines(speed: float) -> Deadlines:
    """Return the live deadlines divided by the lab's speed, none shorter than the machine needs."""
    live = Deadlines().model_dump()
    scaled = {kind: max(SHORTEST, seconds / speed) for kind, seconds in live.items()}
    return Deadlines(**{**scaled, **UNSCALED})


def _nodes(lab: Lab) -> tuple[NodeTarget, ...]:
    found = []
    for plan in lab.plans:
        if plan.storage is not None:
            node = lab.nodes[plan.address]
            ssh = _ssh(lab, node.address, node.ssh_port, node.host_key)
            found.append(
                NodeTarget(
                    name=plan.name,
                    address=plan.address,
                    ssh=ssh,
                    registered_by=plan.registered_by,
                    storage=plan.storage,
                )
            )
    return tuple(found)


def _ssh(lab: Lab, address: str, port: int, host_key: str) -> SshTarget:
    return SshTarget(address=address, port=port, key_file=lab.tester_key.resolve(), host_key=host_key)
