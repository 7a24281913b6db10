"""A real, empty PostgreSQL database for the release's database script: embedded, or on a server of the tester's."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pytest_ovirt_release.checks.database_query import QueryError
from pytest_ovirt_release.checks.database_query import psql as _psql
from pytest_ovirt_release.checks.database_server import Server, database_name, server_of
from pytest_ovirt_release.errors import ReleaseError, Unproven, Unreachable
from pytest_ovirt_release.local.postgres import EmbeddedPostgres, write_pgpass
from pytest_ovirt_release.local.postgres_programs import choose

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ovirt_release.checks.ledger import Entry, Ledger
    from pytest_ovirt_release.local.postgres import Connection

ROLE = "engine"
"""The role and the database of an embedded server have the names that oVirt's own defaults have."""

GUEST, OCCUPIED = "_guest", "_occupied"
STRICT_FROM = 15
"""Since this version of PostgreSQL not everybody may create things in a new database."""
EMPTY = "ENCODING 'UTF8' TEMPLATE template0"


class Database:
    """An empty database for one run; `values` and `environment` are what a script needs to reach it."""

    def __init__(
        self, url: str | None, scratch: Path, ledger: Ledger, *, extensions: Sequence[str] = ()
    ) -> None:
        """Take the server's address and a private folder.

        Args:
            url: `postgresql://user@host:port/…`, password from PGPASSWORD or PGPASSFILE; None: an embedded server.
            scratch: folder of ours, for the password file.
            ledger: told of the database and role that are created on a server of the tester's.
            extensions: of PostgreSQL, that the script needs in the database.
        """
        self._extensions = tuple(extensions)
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

    @contextlib.contextmanager
    def powerless(self) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
        """For a while, give values and environment of a role that may connect to the database and create nothing.

        Only a server from version 15 on refuses such a role by itself: see `refuses_strangers`.
        """
        server, guest = self._server, f"{self.name}{GUEST}"
        if server is None:
            raise RuntimeError("the database is not open")
        pgpass = self._scratch / "pgpass-guest"
        with contextlib.ExitStack() as undo:
            role = _new_role(server, self._scratch, guest, pgpass)
            undo.callback(_order, server, self._scratch, f'DROP ROLE "{guest}"')
            undo.callback(
                _order, replace_database(server, self.name), self._scratch, f'DROP OWNED BY "{guest}"'
            )
            undo.callback(pgpass.unlink)
            yield {**self.values, "db_user": guest}, role.environment()

    @contextlib.contextmanager
    def occupied(self, table: str) -> Iterator[dict[str, str]]:
        """For a while, give values of a database of the same role that holds something else: another `table`."""
        server, name = self._server, f"{self.name}{OCCUPIED}"
        if server is None:
            raise RuntimeError("the database is not open")
        with contextlib.ExitStack() as undo:
            undo.callback(_order, server, self._scratch, f'DROP DATABASE IF EXISTS "{name}"')
            self._create(server, name)
            _psql(self.connection, name, f"CREATE TABLE {table} (something_else integer)", self._scratch)
            yield {**self.values, "db_name": name}

    @property
    def refuses_strangers(self) -> bool:
        """Whether a role without rights may create nothing in a new database (before 15 everybody might)."""
        return int(re.split(r"\D", self.version)[0]) >= STRICT_FROM

    def _embed(self, undo: contextlib.ExitStack) -> None:
        programs, label = choose(self._extensions)
        superuser = undo.enter_context(EmbeddedPostgres(programs)).superuser
        server = Server(superuser, "postgres", label)
        self._make(server, undo)

    def _borrow(self, url: str, undo: contextlib.ExitStack) -> None:
        admin = self._scratch / "pgpass-admin"
        undo.callback(admin.unlink, missing_ok=True)
        server = server_of(url, os.environ, admin)
        self.name = database_name(self._ledger.run_id, secrets.token_hex(2))
        entry = self._ledger.intent("database", self.name, cells=["database-creation"], url=url)
        undo.callback(self._give_back, server, entry)
        self._make(server, undo)
        self._ledger.created(entry, self.name)

    def _make(self, server: Server, undo: contextlib.ExitStack) -> None:
        """Create role and database of one name; the script gets the role's password and nobody else's."""
        self._server = server
        pgpass = self._scratch / "pgpass"
        undo.callback(pgpass.unlink, missing_ok=True)
        self.connection = _new_role(server, self._scratch, self.name, pgpass)
        self._create(server, self.name)

    def _create(self, server: Server, database: str) -> None:
        _order(server, self._scratch, f'CREATE DATABASE "{database}" {EMPTY} OWNER "{self.name}"')
        for extension in self._extensions:
            self._add_extension(server, database, extension)

    def _give_back(self, server: Server, entry: str) -> None:
        try:
            _drop(server, self._scratch, self.name)
        except (ReleaseError, Unreachable) as error:
            self._ledger.left(entry, str(error))
        else:
            self._ledger.removed(entry)

    def _add_extension(self, server: Server, database: str, name: str) -> None:
        """Create what the release's script needs and may not create; oVirt's own needs uuid-ossp."""
        if not re.fullmatch(r"[a-z0-9_-]+", name):
            raise ReleaseError(f"scripts.database.extensions: {name!r} is no name of an extension")
        try:
            _psql(server.connection, database, f'CREATE EXTENSION IF NOT EXISTS "{name}"', self._scratch)
        except QueryError as error:
            raise Unproven(
                f"the release's database script needs the extension {name}, which {server.label} does not give "
                f"({error}); install postgresql-contrib there"
            ) from error


def remove_database(entry: Entry, run_id: str) -> None:
    """Drop the database and role that a run's ledger still names; gone already is fine.

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
        _drop(server, scratch, entry.name)


def replace_database(server: Server, name: str) -> Server:
    """Return the same server with statements sent to another database."""
    return replace(server, maintenance=name)


def _new_role(server: Server, scratch: Path, name: str, pgpass: Path) -> Connection:
    """Create a role that may log in and nothing else; return its connection, with its password in a new file."""
    password = secrets.token_urlsafe(18)
    write_pgpass(pgpass, {name: password})
    # token_urlsafe has no quote; the role is new, its password lives as long as the role.
    _order(server, scratch, f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}'")
    # Who is no superuser has to belong to a role to give a database to it.
    _order(server, scratch, f'GRANT "{name}" TO CURRENT_USER')
    return replace(server.connection, user=name, pgpass=pgpass)


def _drop(server: Server, scratch: Path, name: str) -> None:
    """Drop a database, the one beside it and their roles, whatever of them is there."""
    roles = ", ".join(f"'{role}'" for role in (name, f"{name}{GUEST}"))
    for database in (f"{name}{OCCUPIED}", name):
        _order(server, scratch, f'DROP DATABASE IF EXISTS "{database}"')
    sql = f"SELECT rolname FROM pg_roles WHERE rolname IN ({roles})"  # noqa: S608 - letters, digits and underscores
    for (role,) in _psql(server.connection, server.maintenance, sql, scratch):
        _order(server, scratch, f'DROP ROLE "{role}"')


def _order(server: Server, scratch: Path, *statements: str) -> None:
    for statement in statements:
        try:
            _psql(server.connection, server.maintenance, statement, scratch)
        except QueryError as error:
            what = " ".join(statement.split()[:2])
            hint = "; the user needs CREATEROLE and CREATEDB" if what.startswith("CREATE") else ""
            raise ReleaseError(f"{server.label}: {what} was refused: {error}{hint}") from error
