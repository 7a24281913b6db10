"""The schema that the release's database script leaves behind, judged by its own version table.

Facts: one row per upgrade script with version, script, checksum (md5 of the script), state (INSTALLED, SKIPPED
or FAILED) and `current`; a healthy schema has exactly one current row, and it is the last script's. The first row
comes with a new database's own data: it names a script that did not run, with the checksum 0.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.database_query import QueryError
from pytest_ovirt_release.errors import CheckFailed, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pytest_ovirt_release.checks.database import Database
    from pytest_ovirt_release.release.page import Script

GOOD_STATES = frozenset({"INSTALLED", "SKIPPED"})
SUFFIXES = frozenset({".sql", ".sh"})
"""Endings of upgrade scripts."""
NEVER_RUN = "0"
"""The checksum in the row that a new database begins with."""
IDENTIFIER = re.compile(r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$")
TABLES = (
    "SELECT table_schema || '.' || table_name FROM information_schema.tables "
    "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
)


@dataclass(frozen=True)
class Step:
    """One row of the version table."""

    version: str
    script: str
    checksum: str
    state: str
    current: bool

    @property
    def name(self) -> str:
        """The script's file name."""
        return PurePosixPath(self.script).name


@dataclass(frozen=True)
class Schema:
    """What stands in the database after the script: version rows, tables, and what the page's query gave."""

    steps: tuple[Step, ...]
    tables: tuple[str, ...]
    answer: tuple[tuple[str, ...], ...]

    @property
    def digest(self) -> str:
        """SHA-256 over all of it: equal before and after a harmless second run."""
        return hashlib.sha256(repr((self.steps, self.tables, self.answer)).encode()).hexdigest()

    def as_evidence(self) -> dict[str, Any]:
        """Return plain values for the report."""
        current = [s for s in self.steps if s.current]
        return {
            "version": current[0].version if current else "",
            "last script": current[0].script if current else "",
            "scripts": len(self.steps),
            "skipped": sum(s.state == "SKIPPED" for s in self.steps),
            "tables": len(self.tables),
            "SHA-256": self.digest,
        }


def table_names(database: Database) -> tuple[str, ...]:
    """Return every table of the database that is not PostgreSQL's own."""
    return tuple(row[0] for row in database.query(TABLES))


def require_empty(database: Database) -> None:
    """Raise ReleaseError if there is anything in the database: a script that finds tables proves nothing."""
    if found := table_names(database):
        raise ReleaseError(f"database {database.name} is not empty: it holds {', '.join(found[:5])}")


def read_schema(database: Database, script: Script) -> Schema:
    """Read the schema; CheckFailed `version-table-missing` or `version-query-fails` when it cannot be read."""
    table = version_table(script)
    steps = f"SELECT version, script, checksum, state, current FROM {table} ORDER BY version, script"  # noqa: S608 - checked against IDENTIFIER
    try:
        rows = database.query(steps)
    except QueryError as error:
        raise CheckFailed(
            "version-table-missing", f"the version table {table} cannot be read: {error}"
        ) from error
    answer: list[list[str]] = []
    if script.version_query:
        try:
            answer = database.query(script.version_query)
        except QueryError as error:
            raise CheckFailed("version-query-fails", f"the page's query fails: {error}") from error
    return Schema(
        steps=tuple(Step(v, s, c, state, current == "t") for v, s, c, state, current in rows),
        tables=table_names(database),
        answer=tuple(tuple(row) for row in answer),
    )


def version_table(script: Script) -> str:
    """Return the name of the version table; ReleaseError when it could not stand in a statement as it is."""
    table = script.version_table or "schema_version"
    if not IDENTIFIER.fullmatch(table):
        raise ReleaseError(f"scripts.database.version_table {table!r}: a lower-case table name is expected")
    return table


def scripts_in(source: Path, script: Script) -> dict[str, str]:
    """Return name → md5 of the upgrade scripts in the folder that the page names; empty when it names none."""
    if script.last_script_dir is None:
        return {}
    folder = source / script.last_script_dir
    found = {
        p.name: hashlib.md5(p.read_bytes(), usedforsecurity=False).hexdigest()
        for p in folder.glob("*")
        if p.suffix in SUFFIXES and p.is_file()
    }
    if not found:
        raise CheckFailed(
            "no-upgrade-scripts", f"the tarball has no upgrade scripts in {script.last_script_dir}"
        )
    return found


def judge(schema: Schema, scripts: Mapping[str, str], *, asked: bool) -> None:
    """Raise CheckFailed with the first thing that is wrong with a schema.

    Args:
        schema: as read after the script.
        scripts: name → md5 of the tarball's upgrade scripts.
        asked: whether the page gives a query, which then must return exactly one row.
    """
    _judge_states(schema.steps)
    current = next(step for step in schema.steps if step.current)
    if scripts and current.name != max(scripts):
        raise CheckFailed(
            "not-the-last-script", f"the schema stands at {current.name}, the last script is {max(scripts)}"
        )
    ran = schema.steps[1:] if schema.steps[0].checksum == NEVER_RUN else schema.steps
    changed = [s.name for s in ran if s.name in scripts and s.checksum != scripts[s.name]]
    if changed:
        raise CheckFailed(
            "checksum-differs", f"recorded with another checksum than its file has: {', '.join(changed)}"
        )
    missing = sorted(set(scripts) - {s.name for s in schema.steps})
    if missing:
        raise CheckFailed(
            "script-not-recorded",
            f"upgrade scripts of the release never ran, by the version table: {', '.join(missing)}",
        )
    if asked and len(schema.answer) != 1:
        raise CheckFailed(
            "version-query-fails", f"the page's query gives {len(schema.answer)} rows, one is expected"
        )


def _judge_states(steps: Sequence[Step]) -> None:
    bad = [f"{s.name} {s.state}" for s in steps if s.state not in GOOD_STATES]
    if bad:
        raise CheckFailed("script-state", f"the version table holds: {', '.join(bad)}")
    current = [s.version for s in steps if s.current]
    if len(current) != 1:
        raise CheckFailed("no-current-version", f"{len(current)} rows are current, exactly one is expected")


def same_schema(before: Schema, after: Schema) -> None:
    """Raise CheckFailed unless a second run left everything as it was."""
    if before.digest == after.digest:
        return
    lost = sorted(set(before.tables) - set(after.tables))
    new = sorted(set(after.tables) - set(before.tables))
    rows = len(set(before.steps) ^ set(after.steps))
    raise CheckFailed(
        "second-run-changes",
        f"the second run changed the schema: {rows} version rows differ, tables lost: {', '.join(lost) or 'none'}, "
        f"new: {', '.join(new) or 'none'}",
    )
