"""Storage of one node: its connections, and domains and volumes as real bytes in real files (layout.py).

The lab's NFS server is a folder that stands for that machine's `/`: the export /exports/data is the folder
`exports/data` in it, and it must be there. A localfs connection is a folder in the node's own file tree. What is
connected can be seen below /rhev/data-center/mnt in the node's tree, as on a real node.
"""

from __future__ import annotations

import ipaddress
import shutil
import stat
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.node import layout
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.lab.node.files import NodeFiles

ACCESS, MOUNT, NO_DOMAIN, DOMAIN_EXISTS, NO_IMAGE, VOLUME_EXISTS = 469, 477, 358, 365, 268, 212
NFS, LOCALFS = 1, 4
TYPES = {NFS: "NFS", LOCALFS: "LOCALFS"}
MOUNTS = "/rhev/data-center/mnt"
_RWX = stat.S_IRUSR | stat.S_IWUSR | stat.S_IXUSR


@dataclass(frozen=True)
class Place:
    """A storage connection as vdsm knows it: its type's number, and `server:/path` or a path."""

    type: int
    path: str


class NodeStorage:
    """The node's connections and what lies on them. Not aware of anything but files."""

    def __init__(self, files: NodeFiles, exports: Path, *, mount_fails: bool, loses_local: bool) -> None:
        """Take the node's tree, the NFS server's tree, and two faults."""
        self._files = files
        self._exports = exports
        self._mount_fails = mount_fails
        self._loses_local = loses_local
        self._connected: dict[Place, None] = {}
        self.lost = False
        """Whether the node cannot reach any NFS server; what is mounted stays mounted and does not answer."""

    def connect(self, place: Place) -> None:
        """Mount an export or check a folder; VdsmError 477 or 469."""
        folder = self._folder(place)
        unreachable = place.type == NFS and (self._mount_fails or self.lost)
        if unreachable or not folder.is_dir():
            raise VdsmError(MOUNT, f"Problem while trying to mount target: {place.path}")
        if stat.S_IMODE(folder.stat().st_mode) & _RWX != _RWX:
            raise VdsmError(
                ACCESS, f"Permission settings on the specified path do not allow access: {place.path}"
            )
        self._connected[place] = None
        mount = self._mount_point(place)
        mount.parent.mkdir(parents=True, exist_ok=True)
        if not mount.is_symlink():
            mount.symlink_to(folder)

    def export(self, path: str) -> Path | None:
        """Return the folder of an export that could be mounted by hand; that vdsm fails with it is not seen there."""
        try:
            folder = self._folder(Place(NFS, path))
        except VdsmError:
            return None
        return folder if folder.is_dir() and not self.lost else None

    def disconnect(self, place: Place) -> None:
        """Unmount; what is not mounted is no error."""
        self._connected.pop(place, None)
        self._mount_point(place).unlink(missing_ok=True)

    def disconnect_all(self) -> None:
        """Forget every connection, as a machine does that starts anew."""
        for place in tuple(self._connected):
            self.disconnect(place)

    def domains(self, path: str) -> tuple[str, ...]:
        """Return the ids of the domains whose metadata stands on the connection of this path."""
        places = [place for place in self._connected if place.path == path]
        if not places:
            raise VdsmError(MOUNT, f"not connected: {path}")
        return tuple(found.parts[-3] for place in places for found in self._metadata_files(place))

    def create_domain(self, place: Place, domain_id: str, name: str, class_: int) -> None:
        """Lay out a domain; VdsmError 365 when its id stands there already."""
        top = self._mounted(place) / domain_id
        if top.exists():
            raise VdsmError(DOMAIN_EXISTS, f"Storage domain already exists: {domain_id}")
        values = layout.domain_values(domain_id, name, class_, TYPES[place.type], place.path)
        layout.lay_out_domain(top, values)

    def domain(self, domain_id: str) -> dict[str, str]:
        """Return a domain's metadata."""
        return layout.read_domain(self._domain(domain_id)[1] / "dom_md" / "metadata")

    def health(self) -> dict[str, int]:
        """Return how every domain of the node's connections is: 0, or vdsm's code of what is wrong with it."""
        found: dict[str, int] = {}
        for place in self._connected:
            for path in self._metadata_files(place):
                code = NO_DOMAIN if self._is_lost(place) else 0
                try:
                    layout.read_domain(path)
                except VdsmError as error:
                    code = code or error.code
                found[path.parts[-3]] = code
        return found

    def format_domain(self, domain_id: str) -> None:
        """Remove a domain with all that is on it."""
        shutil.rmtree(self._domain(domain_id)[1])

    def space(self, domain_id: str) -> tuple[int, int]:
        """Return the bytes of the file system that a domain stands on: total and free."""
        usage = shutil.disk_usage(self._domain(domain_id)[1])
        return usage.total, usage.free

    def create_volume(self, volume_id: str, size: int, values: dict[str, str]) -> None:
        """Make a volume of `size` zero bytes as the only one of the image that its metadata names."""
        folder = self._image(values["DOMAIN"], values["IMAGE"])
        if folder.exists() or not _is_id(volume_id):
            raise VdsmError(VOLUME_EXISTS, f"Volume already exists: {volume_id}")
        layout.lay_out_volume(folder / volume_id, size, values)

    def delete_image(self, domain_id: str, image_id: str) -> None:
        """Remove an image: renamed first, as vdsm does, so that no half of it can be taken for a whole."""
        folder = self.volume(domain_id, image_id).parent
        doomed = folder.with_name("_remove_me_" + image_id)
        folder.rename(doomed)
        shutil.rmtree(doomed)

    def images(self, domain_id: str) -> list[str]:
        """Return the ids of the images on a domain."""
        return sorted(
            path.name for path in (self._domain(domain_id)[1] / "images").glob("*") if _is_id(path.name)
        )

    def volume(self, domain_id: str, image_id: str) -> Path:
        """Return the file that holds an image's bytes; VdsmError 268 when there is none."""
        volumes = layout.volumes(self._image(domain_id, image_id))
        if not volumes:
            raise _no_image(domain_id, image_id)
        return volumes[0]

    def before_reading(self, domain_id: str, image_id: str) -> None:
        """The fault `local-disk-lost`: what is about to be read back from a local domain becomes zeros."""
        place, _ = self._domain(domain_id)
        if self._loses_local and place.type == LOCALFS:
            volume = self.volume(domain_id, image_id)
            size = volume.stat().st_size
            volume.write_bytes(b"")
            layout.make_file(volume, size)

    def _is_lost(self, place: Place) -> bool:
        return self.lost and place.type == NFS

    def _folder(self, place: Place) -> Path:
        if place.type == LOCALFS:
            return self._files.path(place.path)
        server, _, path = place.path.partition(":/")
        parts = [part for part in path.split("/") if part]
        if not _is_loopback(server) or parts[:1] != ["exports"] or ".." in parts:
            raise VdsmError(MOUNT, f"Problem while trying to mount target: {place.path}")
        return self._exports.joinpath(*parts)

    def _mount_point(self, place: Place) -> Path:
        return self._files.path(f"{MOUNTS}/{place.path.replace('_', '__').replace('/', '_')}")

    def _mounted(self, place: Place) -> Path:
        if place not in self._connected or self._is_lost(place):
            raise VdsmError(MOUNT, f"not connected: {place.path}")
        return self._folder(place)

    def _metadata_files(self, place: Place) -> list[Path]:
        found = self._folder(place).glob("*/dom_md/metadata")
        return sorted(path for path in found if _is_id(path.parts[-3]))

    def _image(self, domain_id: str, image_id: str) -> Path:
        if not _is_id(image_id):
            raise _no_image(domain_id, image_id)
        return self._domain(domain_id)[1] / "images" / image_id

    def _domain(self, domain_id: str) -> tuple[Place, Path]:
        for place in self._connected:
            top = self._folder(place) / domain_id
            if _is_id(domain_id) and not self._is_lost(place) and (top / "dom_md" / "metadata").exists():
                return place, top
        raise VdsmError(NO_DOMAIN, f"Storage domain does not exist: {domain_id}")


def _no_image(domain_id: str, image_id: str) -> VdsmError:
    return VdsmError(NO_IMAGE, f"Image does not exist in domain: image={image_id}, domain={domain_id}")


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _is_loopback(server: str) -> bool:
    try:
        return server == "localhost" or ipaddress.ip_address(server).is_loopback
    except ValueError:
        return False
