"""One statement to a PostgreSQL server by psql: rows come back as texts, passwords never stand in an argument."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import Unreachable
from pytest_ovirt_release.local import processes
from pytest_ovirt_release.local.postgres import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.local.postgres import Connection

DEADLINE = 60.0
"""Seconds that one statement may take."""
FIELD, RECORD = "\x1f", "\x1e"
CONNECTION_BAD = 2
"""psql's exit status when it could not connect."""


class QueryError(Exception):
    """The server refused a statement; the text is psql's."""


def psql(connection: Connection, database: str, sql: str, scratch: Path) -> list[list[str]]:
    """Return the rows of one statement; `scratch` is a private folder for what psql reads and writes.

    Raises:
        QueryError: the server refused the statement.
        Unreachable: it did not answer.
    """
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
