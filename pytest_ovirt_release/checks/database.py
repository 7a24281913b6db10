"""A real, empty PostgreSQL database for the release's database script: embedded, or on a server of the tester's."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pytest_ovirt_release.checks.database_server import Server, database_name, server_of
from pytest_ovirt_release.errors import ReleaseError, Unproven, Unreachable
from pytest_ovirt_release.local import processes
from pytest_ovirt_release.local.postgres import EmbeddedPostgres, write_pgpass, write_private

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.ledger import Entry, Ledger
    from pytest_ovirt_release.local.postgres import Connection

ROLE = "engine"
"""The role and the database of an embedded server have the names that oVirt's own defaults have."""

DEADLINE = 60.0
"""Seconds that one statement may take."""
EMPTY = "ENCODING 'UTF8' TEMPLATE template0"
FIELD, RECORD = "\x1f", "\x1e"
CONNECTION_BAD = 2
"""psql's exit status when it could not connect."""


class QueryError(Exception):
    """The server refused a statement; the text is psql's."""


class Database:
    """An empty database for one run; `values` and `environment` are what a script needs to reach it."""

    def __init__(self, url: str | None, scratch: Path, ledger: Ledger) -> None:
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
        superuser = undo.enter_context(EmbeddedPostgres()).superuser
        self._server = server = Server(superuser, "postgres", "embedded PostgreSQL")
        password = secrets.token_urlsafe(18)
        pgpass = self._scratch / "pgpass"
        write_pgpass(pgpass, {ROLE: password})
        undo.callback(pgpass.unlink, missing_ok=True)
        # token_urlsafe has no quote; the role is new, its password lives as long as the server.
        role = f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'"
        _order(server, self._scratch, role, f"CREATE DATABASE {ROLE} {EMPTY} OWNER {ROLE}")
        self.connection = replace(superuser, user=ROLE, pgpass=pgpass)
        self._add_extension(superuser)

    def _borrow(self, url: str, undo: contextlib.ExitStack) -> None:
        pgpass = self._scratch / "pgpass"
        self._server = server = server_of(url, os.environ, pgpass)
        undo.callback(pgpass.unlink, missing_ok=True)
        self.connection = server.connection
        self.name = database_name(self._ledger.run_id, secrets.token_hex(2))
        entry = self._ledger.intent("database", self.name, cells=["database-creation"], url=url)
        try:
            _order(server, self._scratch, f'CREATE DATABASE "{self.name}" {EMPTY}')
        except ReleaseError:
            self._ledger.removed(entry)  # it never came to be; one of that name is not ours to drop
            raise
        undo.callback(self._give_back, server, entry)
        self._ledger.created(entry, self.name)
        self._add_extension(server.connection)

    def _give_back(self, server: Server, entry: str) -> None:
        try:
            _order(server, self._scratch, _drop(self.name))
        except (ReleaseError, Unreachable) as error:
            self._ledger.left(entry, str(error))
        else:
            self._ledger.removed(entry)

    def _add_extension(self, superuser: Connection) -> None:
        """Create uuid-ossp where the server has it: oVirt's own schema needs it and may not create it."""
        sql = "SELECT count(*) FROM pg_available_extensions WHERE name = 'uuid-ossp'"
        if _psql(superuser, self.name, sql, self._scratch) != [["0"]]:
            # Where it is not ours to create, the script itself will say what it lacks.
            with contextlib.suppress(QueryError):
                _psql(superuser, self.name, 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp"', self._scratch)


def remove_database(entry: Entry, run_id: str) -> None:
    """Drop the database that a run's ledger still names; gone already is fine.

    The password comes from the environment, as in the run.

    Raises:
        Unproven: it does not carry the run's id, or (Unreachable) the server does not answer.
        ReleaseError: the server refuses, or its address cannot be used.
    """
    if not re.fullmatch(database_name(run_id, "[0-9a-f]{4}"), entry.name):
        raise Unproven(f"{entry} does not carry this run's id: not touched")
    with tempfile.TemporaryDirectory(prefix="rel-database-") as folder:
        scratch = Path(folder)
        server = server_of(str(entry.details.get("url") or ""), os.environ, scratch / "pgpass")
        _order(server, scratch, _drop(entry.name))


def _drop(name: str) -> str:
    return f'DROP DATABASE IF EXISTS "{name}"'


def _order(server: Server, scratch: Path, *statements: str) -> None:
    for statement in statements:
        try:
            _psql(server.connection, server.maintenance, statement, scratch)
        except QueryError as error:
            what = " ".join(statement.split()[:2])
            raise ReleaseError(f"{server.label}: {what} was refused: {error}") from error


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
