"""The database check against a real PostgreSQL, with the lab's own scripts and broken ones."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from pytest_ovirt_release.checks import database as module
from pytest_ovirt_release.checks import schema
from pytest_ovirt_release.checks.database import Database
from pytest_ovirt_release.checks.database_query import QueryError, psql
from pytest_ovirt_release.checks.database_server import database_name, server_of
from pytest_ovirt_release.checks.ledger import Ledger, open_entries
from pytest_ovirt_release.checks.removal import remove_all
from pytest_ovirt_release.checks.scripts import require_success
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unreachable
from pytest_ovirt_release.lab.release import scripts as lab_scripts
from pytest_ovirt_release.local import postgres, postgres_programs
from pytest_ovirt_release.local.postgres import EmbeddedPostgres
from pytest_ovirt_release.local.release_script import run_script
from pytest_ovirt_release.release.page import Script
from tests.unit.checks.fake_engine import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.checks.ledger import Entry
    from pytest_ovirt_release.local.release_script import ScriptResult

SCRIPT = Script(
    component="ovirt-engine",
    command=(
        "{source}/packaging/dbscripts/schema.sh",
        *("-c", "apply", "-s", "{db_host}", "-p", "{db_port}", "-u", "{db_user}", "-d", "{db_name}"),
    ),
    version_table="schema_version",
    version_query="SELECT version FROM schema_version WHERE current",
    last_script_dir="packaging/dbscripts/upgrade",
)
OLDER_IS_CURRENT = """UPDATE schema_version SET current = false;
UPDATE schema_version SET current = true WHERE version = '03000050'"""
UPGRADES = "packaging/dbscripts/upgrade"


RUN = "20261122-abc"
NAME = "rel_20261122_abc_0a1b"


class Book:
    """A journal in memory with a ledger on it."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.ledger = Ledger(self.write, RUN)

    def write(self, kind: str, /, *, sync: bool = False, **fields: object) -> None:
        self.records.append({"kind": kind, "at": f"{len(self.records):06}", **fields})

    @property
    def kinds(self) -> list[str]:
        return [record["kind"] for record in self.records]

    @property
    def open(self) -> list[Entry]:
        return open_entries(self.records)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres() as running:
        yield running


@pytest.fixture
def url(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same server, as if it were the tester's."""
    where = server.superuser
    assert where.pgpass is not None
    monkeypatch.setenv("PGPASSWORD", where.pgpass.read_text().strip().split(":")[4])
    monkeypatch.setenv("PATH", f"{where.programs}:{os.environ['PATH']}")
    return f"postgresql://{where.user}@/postgres?host={quote(where.host)}"


@pytest.fixture
def empty(url: str, tmp_path: Path) -> Iterator[Database]:
    with Database(url, tmp_path, Book().ledger) as database:
        yield database


def reap(book: Book) -> list[Entry]:
    """Remove what the book still names, as `ovirt-release reap` does; no engine is asked for a database."""
    return remove_all(FakeEngine(), book.ledger, book.open)  # type: ignore[arg-type] # the fake


def tree(folder: Path, *faults: str) -> Path:
    lab_scripts.write_tree(lab_scripts.tree(frozenset(faults)), folder / "source")
    return folder / "source"


def apply(database: Database, source: Path, **values: str) -> ScriptResult:
    known = {**database.values, **values}
    return run_script(SCRIPT, source, source, known, deadline=60, extra_env=database.environment)


def judged(database: Database, source: Path) -> schema.Schema:
    found = schema.read_schema(database, SCRIPT)
    schema.judge(found, schema.scripts_in(source, SCRIPT), asked=True)
    return found


def test_the_embedded_server_is_real_empty_and_not_ours_to_rule(tmp_path: Path) -> None:
    with Database(None, tmp_path, Book().ledger) as database:
        folder = Path(database.values["db_host"])
        assert int(database.version.split(".")[0]) >= 16
        schema.require_empty(database)
        assert database.query("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user") == [
            ["engine", "f"]
        ]
        assert (tmp_path / "pgpass").stat().st_mode & 0o077 == 0
        without = replace(database.connection, pgpass=None)
        with pytest.raises(Unreachable, match="no password supplied"):
            psql(without, database.name, "SELECT 1", tmp_path)
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_server_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys; from pytest_ovirt_release.local.postgres import EmbeddedPostgres\n"
        "s = EmbeddedPostgres().__enter__(); print(s.superuser.host, s._keeper.pid, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        folder, keeper = starter.stdout.readline().split()
        watched = os.pidfd_open(int(keeper))
        assert Path(folder).is_dir()
        starter.send_signal(signal.SIGKILL)
    assert select.select([watched], [], [], 30)[0]
    os.close(watched)
    assert not Path(folder).exists()


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "FORGETFUL", ("no_such_setting=1",))
    monkeypatch.setattr(postgres, "PREFIX", f"ovirt-pg-{os.getpid()}-broken-")
    with pytest.raises(ReleaseError, match=r'(?s)did not start .* parameter "no_such_setting"'):
        EmbeddedPostgres().__enter__()
    assert list(postgres._scratch_parent().glob(f"{postgres.PREFIX}*")) == []


def test_root_starts_the_server_where_nobody_can_reach_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tmp_path.chmod(0o700)
    parent = postgres._scratch_parent()
    assert (parent == tmp_path) is (os.geteuid() != 0)


def test_the_release_script_creates_the_schema_and_a_second_run_changes_nothing(
    empty: Database, tmp_path: Path
) -> None:
    source = tree(tmp_path)
    first = apply(empty, source)
    require_success(first, "the database script", "database-script-fails")
    before = judged(empty, source)
    second = apply(empty, source)
    require_success(second, "the database script", "database-script-fails")
    assert "up to date" in second.output
    schema.same_schema(before, judged(empty, source))
    facts = before.as_evidence()
    assert facts["version"] == "03000060"
    assert facts["last script"] == "upgrade/03_00_0060_add_waiting_hosts_view.sql"
    assert (facts["scripts"], facts["skipped"]) == (7, 0)
    with pytest.raises(ReleaseError, match="is not empty"):
        schema.require_empty(empty)


def test_a_later_release_adds_its_scripts_to_an_older_schema(empty: Database, tmp_path: Path) -> None:
    source = tree(tmp_path)
    assert apply(empty, source).status == 0
    (source / UPGRADES / "03_01_0010_add_nothing_new.sql").write_bytes(
        (source / UPGRADES / "03_00_0050_add_audit_log.sql").read_bytes()
    )
    (source / UPGRADES / "03_01_0020_add_note.sql").write_text(
        "ALTER TABLE audit_log ADD COLUMN note text;\n"
    )
    result = apply(empty, source)
    assert "2 scripts applied, version 03010020" in result.output
    found = judged(empty, source)
    assert found.as_evidence()["skipped"] == 1


def test_without_its_database_the_script_fails_loudly(empty: Database, tmp_path: Path) -> None:
    result = apply(empty, tree(tmp_path), db_name="nowhere")
    assert result.status == 1
    assert 'database "nowhere" does not exist' in result.output
    assert "schema: FATAL: no answer from database nowhere" in result.output


def test_the_fault_stops_the_script_in_mid_schema(empty: Database, tmp_path: Path) -> None:
    source = tree(tmp_path, "database-script-fails")
    result = apply(empty, source)
    with pytest.raises(CheckFailed, match="03_00_0040_add_local_storage_type") as failed:
        require_success(result, "the database script", "database-script-fails")
    assert failed.value.code == "database-script-fails"
    with pytest.raises(CheckFailed, match=r"03_00_0040_\w+\.sql FAILED") as failed:
        judged(empty, source)
    assert failed.value.code == "script-state"
    assert "public.storage_type" not in schema.table_names(empty)


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        ("DROP TABLE schema_version", "version-table-missing"),
        ("UPDATE schema_version SET current = false", "no-current-version"),
        ("UPDATE schema_version SET state = 'FAILED' WHERE version = '03000020'", "script-state"),
        ("UPDATE schema_version SET checksum = 'x' WHERE version = '03000020'", "checksum-differs"),
        ("UPDATE schema_version SET checksum = '0' WHERE version = '03000020'", "checksum-differs"),
        ("UPDATE schema_version SET checksum = 'x' WHERE version = '03000000'", "checksum-differs"),
        ("DELETE FROM schema_version WHERE version = '03000020'", "script-not-recorded"),
        (OLDER_IS_CURRENT, "not-the-last-script"),
    ],
)
def test_a_harmed_schema_is_found_out(empty: Database, tmp_path: Path, harm: str, code: str) -> None:
    source = tree(tmp_path)
    assert apply(empty, source).status == 0
    empty.query(harm)
    with pytest.raises(CheckFailed) as failed:
        judged(empty, source)
    assert failed.value.code == code


def test_a_second_run_that_changes_something_is_found_out(empty: Database, tmp_path: Path) -> None:
    source = tree(tmp_path)
    assert apply(empty, source).status == 0
    before = judged(empty, source)
    empty.query("CREATE TABLE more (id integer); DROP TABLE audit_log")
    with pytest.raises(CheckFailed, match=r"lost: public\.audit_log, new: public\.more") as failed:
        schema.same_schema(before, schema.read_schema(empty, SCRIPT))
    assert failed.value.code == "second-run-changes"


def test_the_pages_query_must_give_one_row(empty: Database, tmp_path: Path) -> None:
    source = tree(tmp_path)
    assert apply(empty, source).status == 0
    for query in ("SELECT version FROM schema_version", "SELECT 1 WHERE false", "SELECT gone FROM nowhere"):
        script = SCRIPT.model_copy(update={"version_query": query})
        with pytest.raises(CheckFailed) as failed:
            schema.judge(schema.read_schema(empty, script), {}, asked=True)
        assert failed.value.code == "version-query-fails"


def test_a_version_table_that_is_no_name(empty: Database) -> None:
    script = SCRIPT.model_copy(update={"version_table": "x; DROP TABLE y"})
    with pytest.raises(ReleaseError, match="a lower-case table name is expected"):
        schema.read_schema(empty, script)


def test_texts_of_every_kind_come_back_whole(empty: Database) -> None:
    rows = empty.query("SELECT E'two\\nlines | with \"marks\"', NULL UNION ALL SELECT '', 'ü'")
    assert rows == [['two\nlines | with "marks"', ""], ["", "ü"]]
    assert empty.query("SELECT 1 WHERE false") == []
    with pytest.raises(QueryError, match='relation "nowhere" does not exist'):
        empty.query("SELECT * FROM nowhere")


def test_a_borrowed_server_gets_a_database_of_this_run_and_loses_it_again(
    url: str, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    book = Book()
    sql = "SELECT count(*) FROM pg_database WHERE datname LIKE 'rel\\_%'"
    (tmp_path / "other").mkdir()
    with Database(url, tmp_path, book.ledger) as database:
        name = database.values["db_name"]
        assert re.fullmatch("rel_20261122_abc_[0-9a-f]{4}", name)
        with Database(url, tmp_path / "other", book.ledger) as other:  # two processes of one run
            assert other.name != name
        assert psql(server.superuser, "postgres", sql, tmp_path) == [["1"]]
    assert psql(server.superuser, "postgres", sql, tmp_path) == [["0"]]
    assert book.kinds == ["intent", "created"] * 2 + ["removed"] * 2
    assert {"what": "database", "name": name, "cells": ["database-creation"]}.items() <= book.records[
        0
    ].items()


def test_a_borrowed_database_that_cannot_be_dropped_is_written_down(
    url: str, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    book = Book()
    where = server.superuser
    command = [f"{where.programs}/psql", "-X", "-h", where.host, "-U", where.user, "-d"]
    with Database(url, tmp_path, book.ledger) as database:
        environment = {**os.environ, **where.environment()}
        guest = subprocess.Popen(
            [*command, database.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert guest.stdin is not None
        assert guest.stdout is not None
        guest.stdin.write("\\echo here\n")
        guest.stdin.flush()
        guest.stdout.readline()
    assert book.kinds[-1] == "left"
    assert "is being accessed by other users" in book.records[-1]["why"]
    assert book.open[0].details == {"url": url}
    assert reap(book) == book.open
    assert "is being accessed by other users" in (book.open[0].left or "")
    guest.communicate(timeout=20)
    left = book.open[0]
    assert reap(book) == []
    assert book.kinds[-1] == "removed"
    module.remove_database(left, RUN)
    with Database(url, tmp_path, Book().ledger):
        pass


def test_a_server_that_lets_us_create_nothing_leaves_nothing_in_the_ledger(
    url: str, server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    psql(server.superuser, "postgres", "CREATE ROLE guest LOGIN PASSWORD 'guest'", tmp_path)
    monkeypatch.setenv("PGPASSWORD", "guest")
    book = Book()
    with pytest.raises(
        ReleaseError, match=r"(?s)CREATE ROLE was refused: .*permission denied.*needs CREATEROLE"
    ):
        Database(url.replace("postgres@", "guest@"), tmp_path, book.ledger).__enter__()
    assert book.kinds == ["intent", "removed"]


def test_a_database_of_a_killed_run_is_dropped_and_no_other(
    url: str, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    def names() -> list[list[str]]:
        sql = "SELECT datname FROM pg_database WHERE datname LIKE 'rel\\_%' ORDER BY 1"
        return psql(server.superuser, "postgres", sql, tmp_path)

    book = Book()
    for name in (NAME, "rel_20261122_ab_0a1b"):
        psql(server.superuser, "postgres", f'CREATE DATABASE "{name}"', tmp_path)
        book.ledger.intent("database", name, cells=["database-creation"], url=url)
    psql(server.superuser, "postgres", f'CREATE DATABASE "{NAME}{module.OCCUPIED}"', tmp_path)
    left = reap(book)
    assert names() == [["rel_20261122_ab_0a1b"]]
    assert [(e.name, e.left) for e in left] == [
        ("rel_20261122_ab_0a1b", "database rel_20261122_ab_0a1b does not carry this run's id: not touched")
    ]


def test_a_server_that_is_gone_leaves_the_database_in_the_ledger(url: str) -> None:
    book = Book()
    book.ledger.intent(
        "database", NAME, cells=["database-creation"], url="postgresql://engine@/x?host=/nowhere"
    )
    assert "PostgreSQL at /nowhere:5432" in (reap(book)[0].left or "")
    assert book.kinds == ["intent", "left"]


def test_a_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{postgres_programs.embedded_programs()}:{os.environ['PATH']}")
    with pytest.raises(Unreachable, match="PostgreSQL at /nowhere:5432"):
        Database("postgresql://engine@/x?host=/nowhere", tmp_path, Book().ledger).__enter__()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://engine:secret@db/x", "PGPASSWORD or PGPASSFILE"),
        ("mysql://engine@db/x", "is expected"),
        ("postgresql://db/x", "is expected"),
        ("postgresql://engine@/x", "the host is missing"),
        ("postgresql://engine@db/x?options=-c", "options is not known"),
        ("postgresql://engine@db:99999/x", "Port out of range"),
    ],
)
def test_an_address_that_is_none(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(ReleaseError, match=says) as failed:
        server_of(url, {}, tmp_path / "pgpass")
    assert "secret" not in str(failed.value)


def test_a_password_goes_into_a_private_file_only(tmp_path: Path) -> None:
    pgpass = tmp_path / "pgpass"
    server = server_of("postgresql://a:@db:6000/m?sslmode=require", {"PGPASSWORD": "a:b\\c"}, pgpass)
    assert (server.connection.host, server.connection.port, server.maintenance) == ("db", 6000, "m")
    assert pgpass.read_text() == "*:*:*:a:a\\:b\\\\c\n"
    assert pgpass.stat().st_mode & 0o077 == 0
    assert server.connection.environment()["PGSSLMODE"] == "require"
    assert "a:b" not in repr(server)


def test_names_of_scratch_databases() -> None:
    assert database_name("20261122T101112Z-1F", "0a1b") == "rel_20261122t101112z_1f_0a1b"
    assert len(database_name("x" * 200, "0a1b")) <= 63


def test_without_the_wheel_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgres_programs, "PACKAGE", "no_such_package_here")
    monkeypatch.setattr(postgres_programs, "SYSTEM", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReleaseError, match=r"pytest-ovirt-release\[lab\].*--release-database URL"):
        Database(None, tmp_path, Book().ledger).__enter__()
