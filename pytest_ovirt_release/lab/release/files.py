"""Publishes one component's files: tarballs with signatures, and release notes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_ovirt_release.lab.release import notes, tarballs
from pytest_ovirt_release.release.candidate import CandidateFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from pytest_ovirt_release.lab.release.keys import KeyMaker
    from pytest_ovirt_release.lab.release.plan import Places, Plan


@dataclass(frozen=True)
class Signing:
    """With which keys the release's files are signed: the release signer's, and one that holds no role."""

    keys: KeyMaker
    signer: str
    stranger: str


def publish(
    plan: Plan, places: Places, signing: Signing, faults: frozenset[str]
) -> tuple[CandidateFile, ...]:
    """Write one component's tarballs, signatures and notes; return the files as the candidate names them."""
    content = tarballs.source_tarball(plan, faults)
    path = _write(places.path(plan.tarball), content, plan.moments.tagged)
    files = [_named("tarball", path, content)]
    key = signing.stranger if _is_strangers(plan, faults) else signing.signer
    if not _is_unsigned(plan, faults):
        signing.keys.sign(key, path, places.path(plan.signature))
    if plan.binary_tarball and plan.binary_signature:
        content = tarballs.binary_tarball(plan)
        path = places.path(plan.binary_tarball)
        files.append(_named("binary-tarball", path, content))
        if not _has_no_binary(plan, faults):
            _write(path, content, plan.moments.tagged)
            signing.keys.sign(signing.signer, path, places.path(plan.binary_signature))
    text = notes.notes(plan, faults).encode()
    _write(places.path(plan.notes), text, notes.noted_at(plan, faults))
    return tuple(files)


def write_checksums(plans: Sequence[Plan], places: Places) -> None:
    """Write each checksum file of the plans, as sha256sum would, naming the tarballs beside it."""
    lines: dict[Path, list[str]] = {}
    for plan in plans:
        if plan.checksums:
            tarball = places.path(plan.tarball)
            digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
            lines.setdefault(places.path(plan.checksums), []).append(f"{digest}  {tarball.name}\n")
    for path, listed in lines.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(sorted(listed, key=lambda line: line.split()[1])), encoding="utf-8")


def _write(path: Path, content: bytes, when: datetime) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    # The server's Last-Modified is the file's time.
    os.utime(path, (when.timestamp(), when.timestamp()))
    return path


def _named(kind: Literal["tarball", "binary-tarball"], path: Path, content: bytes) -> CandidateFile:
    return CandidateFile(
        kind=kind, name=path.name, sha256=hashlib.sha256(content).hexdigest(), size=len(content)
    )


def _is_unsigned(plan: Plan, faults: frozenset[str]) -> bool:
    return "unsigned-tarball" in faults and plan.name == "vdsm"


def _is_strangers(plan: Plan, faults: frozenset[str]) -> bool:
    return "tarball-signed-by-stranger" in faults and plan.name == "vdsm"


def _has_no_binary(plan: Plan, faults: frozenset[str]) -> bool:
    return "binary-tarball-missing" in faults and plan.name == "ovirt-node"
