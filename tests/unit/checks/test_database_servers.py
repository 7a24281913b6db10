"""The release's script on every PostgreSQL of this machine, and on a server of the tester's as a role without power."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks import schema
from pytest_ovirt_release.checks.database import Database
from pytest_ovirt_release.checks.database_query import psql
from pytest_ovirt_release.checks.scripts import require_loud_failure, require_success
from pytest_ovirt_release.errors import ReleaseError, Unproven
from pytest_ovirt_release.local import postgres_programs
from pytest_ovirt_release.local.postgres import EmbeddedPostgres
from pytest_ovirt_release.local.postgres_programs import choose, lacking, system_programs, wheel_programs
from pytest_ovirt_release.local.release_script import run_script
from tests.unit.checks.test_database import SCRIPT, Book, apply, judged, tree

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = [*wheel_programs(), *system_programs()]
UUID = "uuid-ossp"
needs_uuid = pytest.mark.skipif(
    not any(not lacking(p, [UUID]) for p in system_programs()), reason="no system PostgreSQL with uuid-ossp"
)


def name_of(programs: Path) -> str:
    return "-".join(programs.parts[-3:-1])


@pytest.mark.parametrize("programs", SERVERS, ids=name_of)
def test_the_script_on_every_server_of_this_machine(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_programs, "wheel_programs", lambda: [programs])
    source = tree(tmp_path)
    with Database(None, tmp_path, Book().ledger) as database:
        require_success(apply(database, source), "the first run", "x")
        first = judged(database, source)
        require_success(apply(database, source), "the second run", "x")
        schema.same_schema(first, judged(database, source))


@needs_uuid
def test_what_the_wheel_lacks_comes_from_the_system(tmp_path: Path) -> None:
    programs, label = choose([UUID])
    assert programs in system_programs()
    with Database(None, tmp_path, Book().ledger, extensions=[UUID]) as database:
        assert database.label == label
        assert database.query("SELECT length(uuid_generate_v1()::text)") == [["36"]]
        assert database.query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [["f"]]


def test_an_extension_that_nobody_has_is_said_clearly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(Unproven, match="needs no-such-thing, which the embedded PostgreSQL does not have"):
        choose(["no-such-thing"])
    monkeypatch.setattr(postgres_programs, "system_programs", list)
    with pytest.raises(Unproven, match="apt install postgresql, or dnf install"):
        Database(None, tmp_path, Book().ledger, extensions=[UUID]).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_without_the_wheel_the_system_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    if not system_programs():
        pytest.skip("this machine has no PostgreSQL of its own")
    monkeypatch.setattr(postgres_programs, "wheel_programs", list)
    assert choose([])[0] == system_programs()[0]


@pytest.fixture
def tester(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name the password of a user of the tester's who may create databases and roles, and is no superuser."""
    monkeypatch.setenv("PGPASSWORD", "pw-of-the-tester")
    return "CREATE ROLE tester LOGIN CREATEDB CREATEROLE PASSWORD 'pw-of-the-tester'"


@pytest.mark.parametrize("programs", SERVERS, ids=name_of)
def test_a_borrowed_server_lends_a_role_without_power(programs: Path, tester: str, tmp_path: Path) -> None:
    """A user who is no superuser will do; the script never sees that user's password, and nothing stays."""
    book = Book()
    (tmp_path / "one").mkdir()
    with EmbeddedPostgres(programs) as server:
        _, url = _as(tester, server, tmp_path)
        everything = "SELECT (SELECT count(*) FROM pg_roles), (SELECT count(*) FROM pg_database)"
        before = _ask(server, everything, tmp_path)
        with Database(url, tmp_path / "one", book.ledger) as database:
            assert database.connection.user == database.name
            assert database.connection.pgpass is not None
            assert "pw-of-the-tester" not in database.connection.pgpass.read_text()
            rights = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
            assert database.query(rights) == [["f", "f", "f"]]
            source = tree(tmp_path)
            require_success(apply(database, source), "the script", "x")
            judged(database, source)
        assert _ask(server, everything, tmp_path) == before
    assert book.kinds == ["intent", "created", "removed"]
    assert list((tmp_path / "one").iterdir()) == []


def _as(create: str, server: EmbeddedPostgres, scratch: Path) -> tuple[list[list[str]], str]:
    where = server.superuser
    return _ask(server, create, scratch), f"postgresql://tester@/postgres?host={where.host}"


def _ask(server: EmbeddedPostgres, sql: str, scratch: Path) -> list[list[str]]:
    return psql(server.superuser, "postgres", sql, scratch)


def test_a_user_who_may_create_roles_only_leaves_no_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "pw")
    book = Book()
    with EmbeddedPostgres() as server:
        _, url = _as("CREATE ROLE tester LOGIN CREATEROLE PASSWORD 'pw'", server, tmp_path)
        (tmp_path / "one").mkdir()
        with pytest.raises(ReleaseError, match="CREATE DATABASE was refused"):
            Database(url, tmp_path / "one", book.ledger).__enter__()
        assert _ask(server, r"SELECT rolname FROM pg_roles WHERE rolname LIKE 'rel\_%'", tmp_path) == []
    assert book.kinds == ["intent", "removed"]


def test_the_script_is_loud_where_it_may_create_nothing_and_where_no_server_is(tmp_path: Path) -> None:
    source = tree(tmp_path)
    with Database(None, tmp_path, Book().ledger) as database:
        assert database.refuses_strangers
        with database.powerless() as (values, environment):
            assert values["db_user"] == "engine_guest"
            result = run_script(SCRIPT, source, source, values, deadline=60, extra_env=environment)
        require_loud_failure(result, "as a role without rights", "x")
        assert "permission denied" in result.output
        assert database.query("SELECT count(*) FROM pg_roles WHERE rolname LIKE '%guest'") == [["0"]]
        require_loud_failure(apply(database, source, db_host=str(source)), "with its server down", "x")
        with database.occupied("schema_version") as values:
            result = run_script(SCRIPT, source, source, values, deadline=60, extra_env=database.environment)
        require_loud_failure(result, "in a database that holds something else", "x")
        assert "does not exist" in result.output
        assert database.query("SELECT count(*) FROM pg_database WHERE datname LIKE '%occupied'") == [["0"]]
        schema.require_empty(database)
