"""The release's own PKI and database scripts, as they stand in the lab's ovirt-engine source tree.

They are files of their own in `tree/`, written for the lab; a fault publishes a broken variant of one of them.
"""

from __future__ import annotations

import stat
from pathlib import Path

from pytest_ovirt_release.release.page import Script

TREE = Path(__file__).with_name("tree")
PKI_SCRIPT = "packaging/bin/pki-setup.sh"
DATABASE_SCRIPT = "packaging/dbscripts/schema.sh"
BROKEN_UPGRADE = "packaging/dbscripts/upgrade/03_00_0040_add_local_storage_type.sql"

PKI = Script(component="ovirt-engine", command=(PKI_SCRIPT, "{out}", "{host}", "localhost"))
DATABASE = Script(
    component="ovirt-engine",
    command=(
        DATABASE_SCRIPT,
        "-c",
        "apply",
        "-s",
        "{db_host}",
        "-p",
        "{db_port}",
        "-u",
        "{db_user}",
        "-d",
        "{db_name}",
    ),
)
"""How the lab's own engine machine calls them; a release page calls them in its own words."""

EXECUTABLE = 0o755
PLAIN = 0o644


def tree(faults: frozenset[str]) -> dict[str, tuple[bytes, int]]:
    """Return the files of the source tree, path → content and mode, broken as the faults say.

    `pki-script-fails`: the script makes a CA and a key and says that it is done, but signs no certificate.
    `database-script-fails`: an upgrade script in the middle alters a table that does not exist.
    """
    files = {
        path.relative_to(TREE).as_posix(): (path.read_bytes(), EXECUTABLE if path.suffix == ".sh" else PLAIN)
        for path in sorted(TREE.rglob("*"))
        if path.suffix in {".sh", ".sql"}
    }
    if "pki-script-fails" in faults:
        _replace(files, PKI_SCRIPT, b"\n    sign_certificate\n", b"\n")
    if "database-script-fails" in faults:
        _replace(
            files,
            BROKEN_UPGRADE,
            b"ALTER TABLE storage_domain_static\n",
            b"ALTER TABLE storage_domain_statik\n",
        )
    return files


def write_tree(files: dict[str, tuple[bytes, int]], folder: Path) -> None:
    """Write such files below a folder, with their modes whatever the umask."""
    for name, (content, mode) in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(stat.S_IMODE(mode))


def _replace(files: dict[str, tuple[bytes, int]], name: str, old: bytes, new: bytes) -> None:
    content, mode = files[name]
    if content.count(old) != 1:
        raise AssertionError(f"the fault has lost its place in {name}")
    files[name] = (content.replace(old, new), mode)
