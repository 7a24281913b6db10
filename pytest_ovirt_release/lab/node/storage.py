"""Storage of one node: real bytes in real files, laid out as on a file domain of vdsm.

    <mount>/<domain>/dom_md/{metadata,ids,leases,inbox,outbox,xleases}
    <mount>/<domain>/images/<image>/<volume>{,.meta}

The lab's NFS server is a folder that stands for that machine's `/`: the export /exports/data is the folder
`exports/data` in it, and it must be there. A localfs connection is a folder in the node's own file tree. What is
connected can be seen below /rhev/data-center/mnt in the node's tree, as on a real node.
"""

from __future__ import annotations

import hashlib
import ipaddress
import shutil
import stat
import time
import uuid
from typing import TYPE_CHECKING, Literal

from pytest_ovirt_release.lab.node.verbs import Connection, DomainInfo, Space, VdsmError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.lab.node.files import NodeFiles

ACCESS, MOUNT, NO_DOMAIN, DOMAIN_EXISTS, NO_IMAGE, IMAGE_EXISTS = 469, 477, 358, 365, 268, 212
MOUNTS = "/rhev/data-center/mnt"
_CLASSES: dict[Literal["data", "iso", "export"], str] = {"data": "Data", "iso": "Iso", "export": "Backup"}
_TYPES = {name: kind for kind, name in _CLASSES.items()}
_MAILBOX = 16 * 1024 * 1024
_ZERO_ID = "00000000-0000-0000-0000-000000000000"
_RWX = stat.S_IRUSR | stat.S_IWUSR | stat.S_IXUSR


class NodeStorage:
    """The node's connections and what lies on them. Not aware of anything but files."""

    def __init__(self, files: NodeFiles, exports: Path, *, mount_fails: bool, loses_local: bool) -> None:
        """Take the node's tree, the NFS server's tree, and two faults."""
        self._files = files
        self._exports = exports
        self._mount_fails = mount_fails
        self._loses_local = loses_local
        self._connected: dict[tuple[str, str | None, str], Connection] = {}

    def connect(self, connection: Connection) -> None:
        """Mount an export or check a folder; VdsmError 477 or 469."""
        folder = self._folder(connection)
        if not folder.is_dir() or (connection.type == "nfs" and self._mount_fails):
            raise VdsmError(MOUNT, f"Problem while trying to mount target: {_place(connection)}")
        if stat.S_IMODE(folder.stat().st_mode) & _RWX != _RWX:
            raise VdsmError(
                ACCESS, f"Permission settings on the specified path do not allow access: {_place(connection)}"
            )
        self._connected[_key(connection)] = connection
        mount = self._mount_point(connection)
        mount.parent.mkdir(parents=True, exist_ok=True)
        if not mount.is_symlink():
            mount.symlink_to(folder)

    def disconnect(self, connection: Connection) -> None:
        """Unmount; what is not mounted is no error."""
        self._connected.pop(_key(connection), None)
        self._mount_point(connection).unlink(missing_ok=True)

    def domains(self, connection: Connection) -> tuple[DomainInfo, ...]:
        """Return the domains whose metadata stands on a connected connection."""
        found = sorted(self._mounted(connection).glob("*/dom_md/metadata"))
        return tuple(_read_metadata(path) for path in found)

    def create_domain(self, connection: Connection, domain: DomainInfo) -> None:
        """Lay out a domain; VdsmError 365 when its id stands there already."""
        top = self._mounted(connection) / domain.id
        if top.exists():
            raise VdsmError(DOMAIN_EXISTS, f"Storage domain already exists: {domain.id}")
        (top / "images").mkdir(parents=True)
        dom_md = top / "dom_md"
        dom_md.mkdir(mode=0o775)
        for name, size in {
            "ids": 0,
            "leases": 0,
            "xleases": 0,
            "inbox": _MAILBOX,
            "outbox": _MAILBOX,
        }.items():
            _sparse(dom_md / name, size)
        (dom_md / "metadata").write_text(_metadata(connection, domain))

    def format_domain(self, domain_id: str) -> None:
        """Remove a domain with all that is on it."""
        shutil.rmtree(self._domain(domain_id)[1])

    def space(self, domain_id: str) -> Space:
        """Return the bytes of the file system that a domain stands on."""
        usage = shutil.disk_usage(self._domain(domain_id)[1])
        return Space(usage.total, usage.free)

    def create_volume(self, domain_id: str, image_id: str, size: int) -> None:
        """Make a raw sparse volume of `size` zero bytes as the image's only one."""
        folder = self._image(domain_id, image_id)
        if folder.exists():
            raise VdsmError(IMAGE_EXISTS, f"Volume already exists: {image_id}")
        folder.mkdir()
        volume = folder / str(uuid.uuid4())
        _sparse(volume, size)
        volume.with_suffix(".meta").write_text(_volume_metadata(domain_id, image_id, size))

    def delete_image(self, domain_id: str, image_id: str) -> None:
        """Remove an image: renamed first, as vdsm does, so that no half of it can be taken for a whole."""
        folder = self.volume(domain_id, image_id).parent
        doomed = folder.with_name("_remove_me_" + image_id)
        folder.rename(doomed)
        shutil.rmtree(doomed)

    def volume(self, domain_id: str, image_id: str) -> Path:
        """Return the file that holds an image's bytes; VdsmError 268 when there is none."""
        volumes = [path for path in self._image(domain_id, image_id).glob("*") if path.suffix != ".meta"]
        if not volumes:
            raise _no_image(domain_id, image_id)
        return volumes[0]

    def before_reading(self, domain_id: str, image_id: str) -> None:
        """The fault `local-disk-lost`: what is about to be read back from a local domain becomes zeros."""
        connection, _ = self._domain(domain_id)
        if self._loses_local and connection.type == "localfs":
            volume = self.volume(domain_id, image_id)
            size = volume.stat().st_size
            _sparse(volume, 0)
            _sparse(volume, size)

    def _folder(self, connection: Connection) -> Path:
        if connection.type == "localfs":
            return self._files.path(connection.path)
        parts = [part for part in connection.path.split("/") if part]
        if not _is_loopback(connection.address) or parts[:1] != ["exports"] or ".." in parts:
            raise VdsmError(MOUNT, f"Problem while trying to mount target: {_place(connection)}")
        return self._exports.joinpath(*parts)

    def _mount_point(self, connection: Connection) -> Path:
        return self._files.path(f"{MOUNTS}/{_place(connection).replace('_', '__').replace('/', '_')}")

    def _mounted(self, connection: Connection) -> Path:
        if _key(connection) not in self._connected:
            raise VdsmError(MOUNT, f"not connected: {_place(connection)}")
        return self._folder(connection)

    def _image(self, domain_id: str, image_id: str) -> Path:
        if not _is_id(image_id):
            raise _no_image(domain_id, image_id)
        return self._domain(domain_id)[1] / "images" / image_id

    def _domain(self, domain_id: str) -> tuple[Connection, Path]:
        for connection in self._connected.values():
            top = self._folder(connection) / domain_id
            if _is_id(domain_id) and (top / "dom_md" / "metadata").exists():
                return connection, top
        raise VdsmError(NO_DOMAIN, f"Storage domain does not exist: {domain_id}")


def _no_image(domain_id: str, image_id: str) -> VdsmError:
    return VdsmError(NO_IMAGE, f"Image does not exist in domain: image={image_id}, domain={domain_id}")


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _key(connection: Connection) -> tuple[str, str | None, str]:
    return connection.type, connection.address, connection.path


def _place(connection: Connection) -> str:
    return f"{connection.address}:{connection.path}" if connection.address else connection.path


def _is_loopback(address: str | None) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _sparse(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.truncate(size)


def _metadata(connection: Connection, domain: DomainInfo) -> str:
    values = {
        "ALIGNMENT": 1048576,
        "BLOCK_SIZE": 512,
        "CLASS": _CLASSES[domain.type],
        "DESCRIPTION": domain.name,
        "IOOPTIMEOUTSEC": 10,
        "LEASERETRIES": 3,
        "LEASETIMESEC": 60,
        "LOCKPOLICY": "",
        "LOCKRENEWALINTERVALSEC": 5,
        "POOL_UUID": "",
        "REMOTE_PATH": _place(connection),
        "ROLE": "Regular",
        "SDUUID": domain.id,
        "TYPE": connection.type.upper(),
        "VERSION": 5,
    }
    lines = [f"{key}={value}" for key, value in sorted(values.items())]
    checksum = hashlib.sha1("".join(lines).encode(), usedforsecurity=False).hexdigest()
    return "\n".join([*lines, f"_SHA_CKSUM={checksum}", ""])


def _read_metadata(path: Path) -> DomainInfo:
    values = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return DomainInfo(values["SDUUID"], values["DESCRIPTION"], _TYPES[values["CLASS"]])


def _volume_metadata(domain_id: str, image_id: str, size: int) -> str:
    values = {
        "CAP": size,
        "CTIME": int(time.time()),
        "DESCRIPTION": "",
        "DISKTYPE": "DATA",
        "DOMAIN": domain_id,
        "FORMAT": "RAW",
        "GEN": 0,
        "IMAGE": image_id,
        "LEGALITY": "LEGAL",
        "PUUID": _ZERO_ID,
        "SEQ": 1,
        "TYPE": "SPARSE",
        "VOLTYPE": "LEAF",
    }
    return "".join(f"{key}={value}\n" for key, value in sorted(values.items())) + "EOF\n"
