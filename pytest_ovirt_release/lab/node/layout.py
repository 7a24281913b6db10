"""How vdsm lays a file domain of version 5 out on its storage: names, sizes, and the two kinds of metadata.

    <mount>/<domain>/dom_md/{metadata,ids,leases,inbox,outbox,xleases}
    <mount>/<domain>/images/<image>/<volume>{,.meta,.lease}

Nothing of a lab is in it, so that one lab reads what another has left, and what a real node has left too. Only
sanlock's structures inside `ids`, `leases`, `xleases` and `*.lease` are missing: these files have their size and
no content, and a real node would refuse to activate such a domain.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Literal

from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SEAL_BROKEN, META_CORRUPTED = 752, 208
MEBIBYTE = 1024 * 1024
ZERO_ID = "00000000-0000-0000-0000-000000000000"
CLASSES: dict[int, Literal["Data", "Iso", "Backup"]] = {1: "Data", 2: "Iso", 3: "Backup"}
"""vdsm's numbers of the domain classes, and how metadata and Host verbs call them."""

FORMATS = {4: "COW", 5: "RAW"}
ALLOCATIONS = {1: "PREALLOCATED", 2: "SPARSE"}
LONGEST_DESCRIPTION = 210
_SEAL = "_SHA_CKSUM"
_DOM_MD = {"ids": 0, "leases": 0, "xleases": 0, "inbox": 16 * MEBIBYTE, "outbox": 16 * MEBIBYTE}
_NO_VOLUMES = (".meta", ".lease")


def lay_out_domain(top: Path, values: Mapping[str, str]) -> None:
    """Make an empty domain: its folders, its lease and mailbox files, its metadata."""
    (top / "images").mkdir(parents=True)
    dom_md = top / "dom_md"
    dom_md.mkdir()
    dom_md.chmod(0o775)
    for name, size in _DOM_MD.items():
        make_file(dom_md / name, size)
    make_file(dom_md / "metadata", 0)
    (dom_md / "metadata").write_text(sealed(values))


def domain_values(domain_id: str, name: str, class_: int, type_: str, remote_path: str) -> dict[str, str]:
    """Return the metadata of a new domain that belongs to no pool."""
    return {
        "ALIGNMENT": str(MEBIBYTE),
        "BLOCK_SIZE": "512",
        "CLASS": CLASSES[class_],
        "DESCRIPTION": name,
        "IOOPTIMEOUTSEC": "10",
        "LEASERETRIES": "3",
        "LEASETIMESEC": "60",
        "LOCKPOLICY": "",
        "LOCKRENEWALINTERVALSEC": "5",
        "POOL_UUID": "",
        "REMOTE_PATH": remote_path,
        "ROLE": "Regular",
        "SDUUID": domain_id,
        "TYPE": type_,
        "VERSION": "5",
    }


def sealed(values: Mapping[str, str]) -> str:
    """Return metadata as text: sorted lines and their checksum."""
    lines = [f"{key}={value}" for key, value in sorted(values.items())]
    return "\n".join([*lines, f"{_SEAL}={_checksum(lines)}", ""])


def _checksum(lines: list[str]) -> str:
    text = "".join(lines).encode("ascii", "xmlcharrefreplace")
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


def read_domain(metadata: Path) -> dict[str, str]:
    """Return a domain's metadata; VdsmError 752 when its checksum is wrong. One without a checksum is trusted."""
    lines = [line.partition("=") for line in metadata.read_text().splitlines() if "=" in line]
    values = {key: value.strip() for key, _, value in lines}
    seal = values.pop(_SEAL, None)
    found = _checksum([f"{key}={value}" for key, value in sorted(values.items())])
    if seal not in {None, found}:
        raise VdsmError(
            SEAL_BROKEN,
            f"Meta Data seal is broken (checksum mismatch): declared={seal} computed={found}",
        )
    return values


def lay_out_volume(volume: Path, size: int, values: Mapping[str, str]) -> None:
    """Make a volume of zeros with its metadata and lease file beside it."""
    volume.parent.mkdir()
    make_file(volume, size)
    make_file(volume.with_suffix(".lease"), MEBIBYTE)
    make_file(volume.with_suffix(".meta"), 0)
    write_volume(volume, values)


def volume_values(  # noqa: PLR0913 - a volume is described by exactly these
    domain_id: str, image_id: str, size: int, *, format_: int, preallocate: int, type_: str, description: str
) -> dict[str, str]:
    """Return the metadata of a new volume without a parent."""
    return {
        "CAP": str(size),
        "CTIME": str(int(time.time())),
        "DESCRIPTION": description[:LONGEST_DESCRIPTION],
        "DISKTYPE": type_,
        "DOMAIN": domain_id,
        "FORMAT": FORMATS[format_],
        "GEN": "0",
        "IMAGE": image_id,
        "LEGALITY": "LEGAL",
        "PUUID": ZERO_ID,
        "SEQ": "1",
        "TYPE": ALLOCATIONS[preallocate],
        "VOLTYPE": "LEAF",
    }


def write_volume(volume: Path, values: Mapping[str, str]) -> None:
    """Write a volume's metadata."""
    lines = [f"{key}={value}\n" for key, value in sorted(values.items())]
    volume.with_suffix(".meta").write_text("".join([*lines, "EOF\n"]))


def read_volume(volume: Path) -> dict[str, str]:
    """Return a volume's metadata; VdsmError 208 when it is cut off."""
    lines = volume.with_suffix(".meta").read_text().splitlines()
    if lines[-1:] != ["EOF"]:
        raise VdsmError(META_CORRUPTED, f"Volume metadata is corrupted: {volume.name}")
    return dict(line.split("=", 1) for line in lines[:-1])


def volumes(image: Path) -> list[Path]:
    """Return the volumes in an image's folder; a folder that is not there has none."""
    return sorted(path for path in image.glob("*") if path.suffix not in _NO_VOLUMES)


def make_file(path: Path, size: int) -> None:
    """Make a file of zeros that takes no space, for vdsm and its group alone; one that is there gets this size."""
    with path.open("ab") as file:
        file.truncate(size)
    path.chmod(0o660)
