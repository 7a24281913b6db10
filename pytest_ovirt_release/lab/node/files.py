"""A node's own file tree: /etc, /root, /var as files below one folder of the lab."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VDSM_ID = "/etc/vdsm/vdsm.id"
ENGINE_CA = "/etc/pki/ovirt-engine/ca.pem"
REGISTER_LOG = "/var/log/vdsm/register.log"
PRODUCT_UUID = "/sys/class/dmi/id/product_uuid"
OS_RELEASE = "/etc/os-release"


def authorized_keys(user: str) -> str:
    """Return the path of a user's authorized_keys on a node."""
    return "/root/.ssh/authorized_keys" if user == "root" else f"/home/{user}/.ssh/authorized_keys"


class NodeFiles:
    """Files by the absolute path that they have on the node; no path leads out of the tree."""

    def __init__(self, root: Path) -> None:
        """Take the folder that is the node's `/`; it is made."""
        root.mkdir(parents=True, exist_ok=True)
        self._root = root.resolve()
        self._mounts: dict[str, Path] = {}

    def path(self, name: str) -> Path:
        """Return where a file of the node lies; `..` stops at the node's `/`, as on any machine."""
        parts: list[str] = []
        for part in name.split("/"):
            if part == "..":
                del parts[-1:]
            elif part not in {"", "."}:
                parts.append(part)
        whole = f"/{'/'.join(parts)}"
        for at, folder in self._mounts.items():
            if f"{whole}/".startswith(f"{at}/"):
                return folder / whole[len(at) :].lstrip("/")
        return self._root.joinpath(*parts)

    def with_mount(self, name: str, folder: Path) -> NodeFiles:
        """Return the same tree with a folder mounted at a name: seen by whoever has it, and by nobody else."""
        seen = copy.copy(self)
        seen._mounts = {**self._mounts, name.rstrip("/"): folder}  # noqa: SLF001 - one of us
        return seen

    def file_system(self, name: str) -> Path:
        """Return the folder that stands for the file system which a name lies on; an export is a part of one."""
        mounted = next((f for at, f in self._mounts.items() if f"{name}/".startswith(f"{at}/")), None)
        return self._root if mounted is None else mounted.parent

    def read(self, name: str) -> str | None:
        """Return a file's text, None when there is no such file."""
        path = self.path(name)
        return path.read_text(errors="replace") if path.is_file() else None

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        """Write a file and the folders above it."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=mode)
        path.write_text(text)
        path.chmod(mode)

    def append(self, name: str, text: str, mode: int = 0o644) -> None:
        """Add to a file, which may not be there yet."""
        self.write(name, (self.read(name) or "") + text, mode)
