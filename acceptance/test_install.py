"""Installation: easy SSL, easy database creation, easy installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks import schema, tls
from pytest_ovirt_release.checks.installation import check_installation, require_finished_setup
from pytest_ovirt_release.checks.installed import (
    check_versions,
    installed_upgrades,
    live_pair,
    read_live_schema,
)
from pytest_ovirt_release.checks.node import Remote
from pytest_ovirt_release.checks.pki_resource import check_pki_resource
from pytest_ovirt_release.checks.scripts import (
    live_instead,
    release_script,
    require_loud_failure,
    require_success,
)
from pytest_ovirt_release.checks.tls_old import refuse_old_tls
from pytest_ovirt_release.errors import Unproven

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.checks.database import Database
    from pytest_ovirt_release.checks.tarball import SignedTarball
    from pytest_ovirt_release.fixtures import EvidenceWriter
    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.target.model import Target


@pytest.mark.must("ssl-setup")
def test_engine_certificate_is_verified_by_its_ca(
    release_target: Target, met: Callable[[str, str], None], evidence: EvidenceWriter
) -> None:
    """The target's CA verifies the running engine: right name, valid dates, TLS 1.2 or newer, nothing older."""
    engine, deadline = release_target.engine, release_target.deadlines.request
    facts = tls.check_server(engine.url, engine.ca_file, deadline, met, engine.proxy)
    evidence.value("certificate", facts.as_evidence())
    evidence.value("older TLS", refuse_old_tls(tls.Endpoint.of(engine.url), deadline))


@pytest.mark.must("ssl-setup")
def test_engine_hands_out_the_ca_that_signs(release_target: Target, evidence: EvidenceWriter) -> None:
    """The CA that the engine hands out to clients and hosts is the one that signs, and its SSH key can be read."""
    engine = release_target.engine
    found = check_pki_resource(engine.url, engine.ca_file, release_target.deadlines.request)
    evidence.value("handed out", found.as_evidence())


@pytest.mark.must("ssl-setup")
def test_pki_script_makes_a_ca_and_a_certificate(
    release_page: Page,
    release_target: Target,
    signed_tarball: Callable[[str], SignedTarball],
    met: Callable[[str, str], None],
    tmp_path: Path,
    evidence: EvidenceWriter,
) -> None:
    """The release's own PKI script yields a CA and a server certificate that verify each other.

    Where scripts may not run, or the page names none, those that the setup made on the engine's machine have to.
    """
    host = tls.Endpoint.of(release_target.engine.url).host
    live = live_instead("pki", release_page, release_target)
    if live is not None:
        with Remote(live.ssh, name="engine machine", met=met) as machine:
            pair = live_pair(machine, live.places, host, tmp_path, release_target.deadlines.ssh)
        evidence.value("certificates of the engine's machine", pair.as_evidence())
        return
    script = release_script("pki", release_page, release_target, signed_tarball)
    out = tmp_path / "pki"
    result = script.run({"host": host}, out=out)
    evidence.file("pki-script.txt", result.output.encode())
    require_success(result, "the PKI script", "pki-script-fails")
    ca, certificate = script.entry.ca or "ca.pem", script.entry.certificate or "certs/engine.cer"
    pair = tls.verify_pair(out / ca, out / certificate, host)
    evidence.value("certificates of the script", pair.as_evidence())


@pytest.mark.must("database-creation")
def test_database_script_creates_the_schema(
    release_page: Page,
    release_target: Target,
    request: pytest.FixtureRequest,
    signed_tarball: Callable[[str], SignedTarball],
    met: Callable[[str, str], None],
    evidence: EvidenceWriter,
) -> None:
    """The release's own script brings an empty PostgreSQL to its last version, and a second run changes nothing.

    Where scripts may not run, the engine's own database has to stand at the last version that is installed.
    """
    live = live_instead("database", release_page, release_target)
    if live is not None:
        deadline, table = release_target.deadlines.ssh, live.version_table
        with Remote(live.ssh, name="engine machine", met=met) as machine:
            found_live = read_live_schema(machine, live.places, table, deadline)
            upgrades = installed_upgrades(machine, live.places, deadline)
        evidence.value("schema of the engine's machine", found_live.as_evidence())
        schema.judge(found_live, upgrades, asked=False)
        return
    script = release_script("database", release_page, release_target, signed_tarball)
    database: Database = request.getfixturevalue("database")
    evidence.value("server", f"{database.label}, version {database.version}")
    schema.require_empty(database)
    found = []
    for which in ("first", "second"):
        result = script.run(database.values, env=database.environment)
        evidence.file(f"database-script-{which}-run.txt", result.output.encode())
        require_success(result, f"the database script's {which} run", "database-script-fails")
        found.append(schema.read_schema(database, script.entry))
        upgrades = schema.scripts_in(script.source, script.entry)
        schema.judge(found[-1], upgrades, asked=bool(script.entry.version_query))
    schema.same_schema(*found)
    evidence.value("schema", found[-1].as_evidence())


@pytest.mark.must("database-creation")
def test_database_script_fails_loudly_without_a_database(
    release_page: Page,
    release_target: Target,
    request: pytest.FixtureRequest,
    signed_tarball: Callable[[str], SignedTarball],
    met: Callable[[str, str], None],
    evidence: EvidenceWriter,
) -> None:
    """Without database, server or rights, or where something else is, the release's own script ends with an error and says so.

    Where scripts may not run, the setup's own log has to say that it made the database and ended well.
    """
    live = live_instead("database", release_page, release_target)
    if live is not None:
        with Remote(live.ssh, name="engine machine", met=met) as machine:
            evidence.value("setup log", require_finished_setup(machine, release_target.deadlines.ssh))
        return
    script = release_script("database", release_page, release_target, signed_tarball)
    database: Database = request.getfixturevalue("database")
    circumstances = {
        "without a database": {**database.values, "db_name": f"{database.name}_that_is_not_there"},
        "with its server down": {**database.values, "db_host": str(script.source)},
    }
    for circumstance, values in circumstances.items():
        result = script.run(values, env=database.environment)
        evidence.file(f"database-script-{circumstance.replace(' ', '-')}.txt", result.output.encode())
        require_loud_failure(result, circumstance, "database-script-silent")
    with database.occupied(schema.version_table(script.entry)) as values:
        result = script.run(values, env=database.environment)
    evidence.file("database-script-in-an-occupied-database.txt", result.output.encode())
    require_loud_failure(result, "in a database that holds something else", "database-script-silent")
    if not database.refuses_strangers:
        evidence.value("role without rights", f"not tried: version {database.version} lets everybody create")
        return
    with database.powerless() as (values, environment):
        result = script.run(values, env=environment)
    evidence.file("database-script-without-rights.txt", result.output.encode())
    require_loud_failure(result, "as a role that may create nothing", "database-script-silent")


@pytest.mark.should("easy-installation")
def test_installed_packages_are_the_candidates(
    release_page: Page,
    release_candidate: Candidate,
    release_target: Target,
    met: Callable[[str, str], None],
    evidence: EvidenceWriter,
) -> None:
    """On the engine's machine the packages are installed in the very versions that the candidate names."""
    setup, ssh = release_page.scripts.setup, release_target.engine.ssh
    if setup is None or not setup.packages:
        raise Unproven(
            f"page {release_page.id} names no packages of the engine's machine (scripts.setup.packages)"
        )
    if ssh is None:
        raise Unproven("the target names no engine machine ([engine.ssh]), so nobody could look there")
    deadline = release_target.deadlines.ssh
    with Remote(ssh, name="engine machine", met=met) as machine:
        found = check_versions(machine, release_page, release_candidate, setup.packages, deadline)
    evidence.value("installed packages", found)


@pytest.mark.should("easy-installation")
def test_setup_tool_answers_and_service_is_on(
    release_page: Page, release_target: Target, met: Callable[[str, str], None], evidence: EvidenceWriter
) -> None:
    """On the engine's machine the setup tool answers, and the engine's service is enabled and active."""
    setup = release_page.scripts.setup
    ssh = release_target.engine.ssh
    if setup is None:
        raise Unproven(f"page {release_page.id} names no setup tool and no service")
    if ssh is None:
        raise Unproven("the target names no engine machine ([engine.ssh]), so nobody could look there")
    with Remote(ssh, name="engine machine", met=met) as machine:
        found = check_installation(machine, setup, release_target.deadlines.ssh)
    evidence.value("installation", found.as_evidence())
    evidence.file("engine-setup-log.txt", found.log.encode())
