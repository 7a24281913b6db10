"""Releases whose own scripts must not be accepted: run on a real PostgreSQL, as the acceptance suite runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.checks import schema, tls
from pytest_ovirt_release.checks.database import Database
from pytest_ovirt_release.checks.ledger import Ledger
from pytest_ovirt_release.checks.scripts import ReleaseScript, require_loud_failure, require_success
from pytest_ovirt_release.lab.release import scripts as lab_scripts
from pytest_ovirt_release.release.page import Script
from tests.corpus.frame import Check, case
from tests.corpus.workshop import DEADLINE, Workshop
from tests.unit.checks.test_database import SCRIPT

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_SH = "packaging/dbscripts/schema.sh"
PKI = Script(
    component="ovirt-engine", command=("{source}/packaging/bin/pki-setup.sh", "{out}", "{host}"), deadline=60
)


def source(shop: Workshop, *faults: str) -> Path:
    """Write the release's source tree."""
    folder = shop.folder / "source"
    lab_scripts.write_tree(lab_scripts.tree(frozenset(faults)), folder)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace what must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no {old!r} any more"
    path.write_text(text.replace(old, new), encoding="utf-8")


def database(shop: Workshop, tree: Path, entry: Script = SCRIPT, *, behind: str = "") -> Check:
    """Return the check: apply, judge, apply again, same schema. `behind` is done behind the script's back."""
    script = ReleaseScript(entry, tree, DEADLINE)

    def check() -> None:
        ledger = Ledger(lambda *_, **__: None, "corpus")
        with Database(None, shop.folder, ledger) as empty:
            schema.require_empty(empty)
            found = []
            for which in ("first", "second"):
                result = script.run(empty.values, env=empty.environment)
                require_success(result, f"the database script's {which} run", "database-script-fails")
                if behind:
                    empty.query(behind)
                found.append(schema.read_schema(empty, entry))
                schema.judge(found[-1], schema.scripts_in(tree, entry), asked=bool(entry.version_query))
            schema.same_schema(*found)

    return check


@case("database", "database-script-fails")
def a_script_that_stops_in_mid_schema(shop: Workshop, *, bad: bool) -> Check:
    """An upgrade script alters a table that does not exist."""
    return database(shop, source(shop, *(["database-script-fails"] if bad else [])))


@case("database", "script-state")
def a_failed_step_that_nobody_mentions(shop: Workshop, *, bad: bool) -> Check:
    """The script ends well, and its own version table says that a step failed."""
    behind = "UPDATE schema_version SET state = 'FAILED' WHERE version = '03000030'"
    return database(shop, source(shop), behind=behind if bad else "")


@case("database", "no-current-version")
def no_version_at_all(shop: Workshop, *, bad: bool) -> Check:
    """No row of the version table calls itself current."""
    behind = "UPDATE schema_version SET current = false"
    return database(shop, source(shop), behind=behind if bad else "")


@case("database", "checksum-differs")
def an_upgrade_script_changed_after_it_ran(shop: Workshop, *, bad: bool) -> Check:
    """The recorded checksum is not that of the file in the tarball."""
    behind = "UPDATE schema_version SET checksum = md5('other') WHERE version = '03000030'"
    return database(shop, source(shop), behind=behind if bad else "")


@case("database", "script-not-recorded")
def an_upgrade_that_never_ran(shop: Workshop, *, bad: bool) -> Check:
    """One of the upgrade scripts left no row in the version table."""
    behind = "DELETE FROM schema_version WHERE version = '03000030'"
    return database(shop, source(shop), behind=behind if bad else "")


@case("database", "not-the-last-script")
def a_schema_that_stands_still(shop: Workshop, *, bad: bool) -> Check:
    """The last upgrade never ran, and an older one calls itself current."""
    behind = """DELETE FROM schema_version WHERE version = '03000060';
    UPDATE schema_version SET current = true WHERE version = '03000050'"""
    return database(shop, source(shop), behind=behind if bad else "")


@case("database", "second-run-changes")
def a_second_run_that_does_harm(shop: Workshop, *, bad: bool) -> Check:
    """Each run leaves another table behind."""
    behind = "DO $$ BEGIN EXECUTE 'CREATE TABLE t' || (SELECT count(*) FROM information_schema.tables) || ' (x int)'; END $$"
    return database(shop, source(shop), behind=behind if bad else "")


@case("database", "version-table-missing")
def a_schema_without_a_version(shop: Workshop, *, bad: bool) -> Check:
    """The script ends well and did nothing at all."""
    tree = source(shop)
    if bad:
        (tree / SCHEMA_SH).write_text("#!/bin/sh\necho done\n", encoding="utf-8")
    return database(shop, tree)


@case("database", "script-missing")
def a_tarball_without_the_script(shop: Workshop, *, bad: bool) -> Check:
    """The script that the page names is not in the tarball."""
    tree = source(shop)
    if bad:
        (tree / SCHEMA_SH).unlink()
    return database(shop, tree)


@case("database", "script-outside-tarball")
def a_script_that_is_a_link_out_of_the_tarball(shop: Workshop, *, bad: bool) -> Check:
    """What would be run is a program of the machine's own."""
    tree = source(shop)
    if bad:
        (tree / SCHEMA_SH).unlink()
        (tree / SCHEMA_SH).symlink_to("/bin/true")
    return database(shop, tree)


@case("database", "database-script-silent")
def a_script_that_hides_its_failure(shop: Workshop, *, bad: bool) -> Check:
    """Without a server the script says that all is well."""
    tree = source(shop)
    if bad:
        edit(tree / SCHEMA_SH, "#!/bin/bash\n", "#!/bin/bash\ntrap 'exit 0' EXIT\n")
    script = ReleaseScript(SCRIPT, tree, DEADLINE)
    nowhere = {"db_host": str(shop.folder), "db_port": "5432", "db_user": "engine", "db_name": "engine"}
    return lambda: require_loud_failure(script.run(nowhere), "with its server down", "database-script-silent")


@case("database", "database-script-silent")
def a_script_that_takes_any_database_for_its_own(shop: Workshop, *, bad: bool) -> Check:
    """There is a table of the version table's name, which is something else, and the script is content with it."""
    tree = source(shop)
    if bad:
        edit(
            tree / SCHEMA_SH,
            "    declare -A installed=()",
            "    [[ $present == 1 ]] && exit 0\n    declare -A installed=()",
        )
    script = ReleaseScript(SCRIPT, tree, DEADLINE)

    def check() -> None:
        with Database(None, shop.folder, Ledger(lambda *_, **__: None, "corpus")) as own:
            with own.occupied("schema_version") as values:
                result = script.run(values, env=own.environment)
            require_loud_failure(result, "in a database that holds something else", "database-script-silent")

    return check


def pki(shop: Workshop, tree: Path) -> Check:
    """Return the check: the PKI script leaves a CA and a certificate that verify each other."""
    script, out = ReleaseScript(PKI, tree, DEADLINE), shop.folder / "pki"

    def check() -> None:
        require_success(script.run({"host": "127.0.0.1"}, out=out), "the PKI script", "pki-script-fails")
        tls.verify_pair(out / "ca.pem", out / "certs/engine.cer", "127.0.0.1")

    return check


@case("pki", "certificate-missing", "openssl")
def a_script_that_signs_nothing(shop: Workshop, *, bad: bool) -> Check:
    """The script makes a CA and a key, says that it is done, and signs no certificate."""
    return pki(shop, source(shop, *(["pki-script-fails"] if bad else [])))


@case("pki", "pki-script-fails", "openssl")
def a_script_that_gives_up(shop: Workshop, *, bad: bool) -> Check:
    """The script ends with an error."""
    tree = source(shop)
    if bad:
        edit(
            tree / "packaging/bin/pki-setup.sh", "#!/bin/bash\n", "#!/bin/bash\necho no openssl >&2; exit 1\n"
        )
    return pki(shop, tree)


@case("pki", "pki-script-fails-deadline", "openssl")
def a_script_that_waits_for_an_answer(shop: Workshop, *, bad: bool) -> Check:
    """The script waits for somebody who is not there."""
    tree = source(shop)
    if bad:
        edit(tree / "packaging/bin/pki-setup.sh", "#!/bin/bash\n", "#!/bin/bash\nsleep 300\n")
    script, out = ReleaseScript(PKI, tree, 2 if bad else DEADLINE), shop.folder / "pki"
    return lambda: require_success(
        script.run({"host": "127.0.0.1"}, out=out), "the PKI script", "pki-script-fails"
    )
