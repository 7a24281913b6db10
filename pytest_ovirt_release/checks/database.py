"""A real, empty PostgreSQL database for the release's database script: embedded, or on a server of the tester's."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, Self

from pytest_ovirt_release.checks.database_server import Server, database_name, server_of
from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.local import processes
from pytest_ovirt_release.local.postgres import EmbeddedPostgres, write_pgpass, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.local.postgres import Connection

ROLE = "engine"
"""The role and the database of an embedded server have the names that oVirt's own defaults have."""

DEADLINE = 60.0
FIELD, RECORD = "\x1f", "\x1e"
CONNECTION_BAD = 2
"""psql's exit status when it could not connect."""


class LedgerLike(Protocol):
    """What a database on somebody's server is written down in before it is created."""

    run_id: str

    def intent(self, what: str, name: str, *, cells: tuple[str, ...], **details: object) -> str:
        """Write down what is about to be created; returns the entry's id."""

    def created(self, entry: str, object_id: str) -> None:
        """Note that it exists."""

    def removed(self, entry: str) -> None:
        """Note that it is gone."""

    def left(self, entry: str, why: str) -> None:
        """Note that it could not be removed."""


class QueryError(Exception):
    """The server refused a statement; the text is psql's."""


class Database:
    """An empty database for one run; `values` and `environment` are what a script needs to reach it."""

    def __init__(self, url: str | None, scratch: Path, ledger: LedgerLike | None = None) -> None:
        """Take the server's address and a private folder.

        Args:
            url: `postgresql://user@host:port/…`, password from PGPASSWORD or PGPASSFILE; None: an embedded server.
            scratch: folder of ours, for the password file.
            ledger: told of the database that is created on a server of the tester's.
        """
        self._url = url
        self._scratch = scratch
        self._ledger = ledger
        self._undo = contextlib.ExitStack()
        self._server: Server | None = None
        self.connection: Connection
        self.name = ROLE
        self.version = ""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            if self._url is None:
                self._embed(undo)
            else:
                self._borrow(self._url, undo)
            self.version = self.query("SHOW server_version")[0][0]
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    @property
    def label(self) -> str:
        """How the report names the server."""
        return self._server.label if self._server else ""

    @property
    def values(self) -> dict[str, str]:
        """What {db_host} {db_port} {db_user} {db_name} stand for."""
        c = self.connection
        return {"db_host": c.host, "db_port": str(c.port), "db_user": c.user, "db_name": self.name}

    @property
    def environment(self) -> dict[str, str]:
        """PATH with psql, PGPASSFILE and what else libpq needs."""
        return self.connection.environment()

    def query(self, sql: str) -> list[list[str]]:
        """Return the rows of one statement in this database, as texts; NULL is an empty text.

        Raises:
            QueryError: the server refused it.
            Unreachable: the server did not answer.
        """
        return _psql(self.connection, self.name, sql, self._scratch)

    def _embed(self, undo: contextlib.ExitStack) -> None:
        server = undo.enter_context(EmbeddedPostgres())
        superuser = server.superuser
        self._server = Server(superuser, "postgres", "embedded PostgreSQL")
        password = secrets.token_urlsafe(18)
        pgpass = self._scratch / "pgpass"
        write_pgpass(pgpass, {ROLE: password})
        undo.callback(pgpass.unlink, missing_ok=True)
        # token_urlsafe has no quote; the role is new, its password lives as long as the server.
        self._order(
            f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'", f"CREATE DATABASE {ROLE} {EMPTY} OWNER {ROLE}"
        )
        self.connection = replace(superuser, user=ROLE, pgpass=pgpass)
        self._add_extension(superuser)

    def _borrow(self, url: str, undo: contextlib.ExitStack) -> None:
        pgpass = self._scratch / "pgpass"
        self._server = server = server_of(url, os.environ, pgpass)
        undo.callback(pgpass.unlink, missing_ok=True)
        self.connection = server.connection
        run = self._ledger.run_id if self._ledger else secrets.token_hex(6)
        self.name = database_name(run)
        entry = None
        if self._ledger is not None:
            entry = self._ledger.intent("database", self.name, cells=("database-creation",), url=url)
        try:
            self._order(f'CREATE DATABASE "{self.name}" {EMPTY}')
        except ReleaseError:
            if self._ledger is not None and entry is not None:
                self._ledger.removed(entry)  # it never came to be; one of that name is not ours to drop
            raise
        undo.callback(self._give_back, entry)
        if self._ledger is not None and entry is not None:
            self._ledger.created(entry, self.name)
        self._add_extension(server.connection)

    def _give_back(self, entry: str | None) -> None:
        try:
            self._order(f'DROP DATABASE IF EXISTS "{self.name}"')
        except (ReleaseError, Unreachable) as error:
            if self._ledger is None or entry is None:
                raise
            self._ledger.left(entry, str(error))
            return
        if self._ledger is not None and entry is not None:
            self._ledger.removed(entry)

    def _order(self, *statements: str) -> None:
        server = self._server
        assert server is not None  # noqa: S101 - both callers have just set it
        for statement in statements:
            try:
                _psql(server.connection, server.maintenance, statement, self._scratch)
            except QueryError as error:
                what = " ".join(statement.split()[:2])
                raise ReleaseError(f"{server.label}: {what} was refused: {error}") from error

    def _add_extension(self, superuser: Connection) -> None:
        """Create uuid-ossp where the server has it: oVirt's own schema needs it and may not create it."""
        sql = "SELECT count(*) FROM pg_available_extensions WHERE name = 'uuid-ossp'"
        if _psql(superuser, self.name, sql, self._scratch) != [["0"]]:
            with contextlib.suppress(
                QueryError
            ):  # not ours to create: the script itself will say what it lacks
                _psql(superuser, self.name, 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp"', self._scratch)


def drop(url: str, name: str, scratch: Path) -> None:
    """Drop a database that a run's ledger still names; gone already is fine.

    Args:
        url: the entry's `url`; the password comes from the environment, as in the run.
        name: the entry's name.
        scratch: a private folder.

    Raises:
        Unreachable: the server does not answer. QueryError: it refuses. ReleaseError: the address is wrong.
    """
    server = server_of(url, os.environ, scratch / "pgpass")
    try:
        _psql(server.connection, server.maintenance, f'DROP DATABASE IF EXISTS "{name}"', scratch)
    finally:
        (scratch / "pgpass").unlink(missing_ok=True)


EMPTY = "ENCODING 'UTF8' TEMPLATE template0"


def _psql(connection: Connection, database: str, sql: str, scratch: Path) -> list[list[str]]:
    shape = [
        "--no-psqlrc",
        "--no-password",
        "--quiet",
        "--tuples-only",
        "--no-align",
        "--set=ON_ERROR_STOP=1",
    ]
    shape += [f"--field-separator={FIELD}", f"--record-separator={RECORD}"]
    where = [f"--host={connection.host}", f"--port={connection.port}", f"--username={connection.user}"]
    env = {"HOME": str(scratch), "LC_ALL": "C.UTF-8", **connection.environment()}
    program = shutil.which("psql", path=env["PATH"]) or "psql"
    # By file, not by argument: a statement may hold a fresh role's password.
    mark = secrets.token_hex(4)
    order, rows = scratch / f"order-{mark}.sql", scratch / f"rows-{mark}"
    write_private(order, sql + ";\n")
    try:
        command = [program, *shape, *where, f"--dbname={database}", f"--output={rows}", f"--file={order}"]
        done = processes.run(command, deadline=DEADLINE, env=env, cwd=scratch)
        text = rows.read_text(encoding="utf-8") if rows.is_file() else ""
    finally:
        order.unlink(missing_ok=True)
        rows.unlink(missing_ok=True)
    if done.timed_out or done.status == CONNECTION_BAD:
        said = "no answer" if done.timed_out else done.output.strip()
        raise Unreachable(f"PostgreSQL at {connection.host}:{connection.port}, database {database}: {said}")
    if done.status != 0:
        raise QueryError(done.output.strip().replace(f"psql:{order}:", "line "))
    text = text.removesuffix("\n").removesuffix(RECORD)
    return [row.split(FIELD) for row in text.split(RECORD)] if text else []
