"""An installed engine machine, only looked at over SSH: its packages, its schema, its certificates, its setup log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks import schema
from pytest_ovirt_release.checks.installation import require_finished_setup
from pytest_ovirt_release.checks.installed import (
    check_versions,
    installed_upgrades,
    live_pair,
    read_live_schema,
)
from pytest_ovirt_release.checks.node import Remote
from pytest_ovirt_release.checks.scripts import live_instead
from pytest_ovirt_release.errors import CheckFailed, Unproven
from pytest_ovirt_release.lab.release.engine_share import DATABASE, PKI, PSQL, UPGRADES
from pytest_ovirt_release.local import processes
from pytest_ovirt_release.release.candidate import Candidate, CandidatePackage
from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.page import Live, Page
from pytest_ovirt_release.target.model import EngineTarget, NodeTarget, SshTarget, StorageTarget, Target
from tests.lab.test_engine_machine import Met, Started, with_machine

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = load_page(Path(__file__).parents[2] / "acceptance/releases/ovirt-3.0.toml")
LIVE = Live(psql=(PSQL,), upgrades=UPGRADES, ca=f"{PKI}/ca.pem", certificate=f"{PKI}/certs/engine.cer")
INSTALLED = {"ovirt-engine": "3.0.0-1.fc16", "vdsm": "4.9.3-1.fc16"}


def candidate(**versions: str) -> Candidate:
    packages = tuple(
        CandidatePackage(
            distribution="fedora-16", name=name.replace("_", "-"), version=version, architecture="noarch"
        )
        for name, version in versions.items()
    )
    return Candidate(
        schema_name="ovirt-release-candidate/1", page=PAGE.id, version="3.0", created=datetime.now(UTC),
        components=(), packages=packages,
    )  # fmt: skip


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(CheckFailed) as failed:
        call()
    return failed.value.code


def order(started: Started, sql: str) -> None:
    """Do something to the engine's database behind its back."""
    where = started.machine._share.connection
    assert where is not None
    login = ["-X", "-h", where.host, "-p", str(where.port), "-U", where.user, "-d", DATABASE, "-c", sql]
    done = processes.run(
        ["psql", *login], deadline=30, env=where.environment(), cwd=started.machine._share.pki
    )
    assert done.status == 0, done.output


def test_what_is_installed_is_read_and_never_written(tmp_path: Path) -> None:
    def look(started: Started) -> None:
        started.machine._share.packages = INSTALLED
        with Remote(started.ssh, name="engine machine", met=Met()) as machine:
            _versions(machine)
            _database(machine, started)
            _certificates(machine, tmp_path)
            assert require_finished_setup(machine, 60).endswith("completed successfully")
            _set_up_again(machine)

    with_machine(tmp_path, look)


def _versions(machine: Remote) -> None:
    names = ("ovirt-engine", "vdsm")
    found = check_versions(
        machine, PAGE, candidate(ovirt_engine="3.0.0-1.fc16", vdsm="0:4.9.3-1.fc16"), names, 60
    )
    assert found == {"ovirt-engine": "0:3.0.0-1.fc16", "vdsm": "0:4.9.3-1.fc16"}
    older = candidate(ovirt_engine="3.0.1-1.fc16", vdsm="4.9.3-1.fc16")
    assert refusal(lambda: check_versions(machine, PAGE, older, names, 60)) == "installed-other-version"
    assert refusal(lambda: check_versions(machine, PAGE, older, ("otopi",), 60)) == "package-not-installed"
    with pytest.raises(Unproven, match="names no version of ovirt-engine, vdsm in any rpm distribution"):
        check_versions(machine, PAGE, candidate(vdsm="4.9.3-1.fc16"), names, 60)


def _database(machine: Remote, started: Started) -> None:
    upgrades = installed_upgrades(machine, LIVE, 60)
    found = read_live_schema(machine, LIVE, "schema_version", 60)
    schema.judge(found, upgrades, asked=False)
    assert found.as_evidence()["version"] == "03000060"
    assert len(upgrades) == 7
    assert refusal(lambda: read_live_schema(machine, LIVE, "no_such_table", 60)) == "version-table-missing"
    nowhere = LIVE.model_copy(update={"upgrades": "/nowhere"})
    assert refusal(lambda: installed_upgrades(machine, nowhere, 60)) == "no-upgrade-scripts"
    # The very session that reads may not write: a function that tries to is refused, and the row stays.
    order(started, "CREATE SEQUENCE sly_seq")
    order(
        started,
        "CREATE VIEW sly AS SELECT '1' AS version, 'x' AS script, 'c' AS checksum, 'INSTALLED' AS state, "
        "nextval('sly_seq') > 0 AS current",
    )
    with pytest.raises(Unproven, match="read-only transaction"):
        read_live_schema(machine, LIVE, "sly", 60)
    order(started, "DROP VIEW sly; DROP SEQUENCE sly_seq")
    order(started, "UPDATE schema_version SET state = 'FAILED' WHERE version = '03000030'")
    harmed = read_live_schema(machine, LIVE, "schema_version", 60)
    assert refusal(lambda: schema.judge(harmed, upgrades, asked=False)) == "script-state"
    order(started, "UPDATE schema_version SET state = 'INSTALLED' WHERE version = '03000030'")
    with pytest.raises(Unproven, match="names no psql"):
        read_live_schema(machine, Live(), "schema_version", 60)
    with pytest.raises(Unproven, match="did not answer for its database"):
        read_live_schema(machine, Live(psql=("no-such-psql",)), "schema_version", 60)


def _certificates(machine: Remote, folder: Path) -> None:
    pair = live_pair(machine, LIVE, "127.0.0.1", folder, 60)
    assert "127.0.0.1" in " ".join(pair.names)
    assert refusal(lambda: live_pair(machine, LIVE, "engine.example.org", folder, 60)) == "wrong-name"
    private = LIVE.model_copy(update={"certificate": f"{PKI}/private/ca.key"})
    assert refusal(lambda: live_pair(machine, private, "127.0.0.1", folder, 60)) == "certificate-missing"


def _set_up_again(machine: Remote) -> None:
    """The setup tool really runs the release's script once more."""
    result = machine.run(["engine-setup", "--accept-defaults", "--offline"], 60)
    assert result.ok, result
    assert "completed successfully" in result.stdout
    assert "schema: database engine is up to date" in result.stdout, (
        "these are the words of the script itself"
    )
    assert machine.run(["engine-setup", "--no-such-option"], 60).status == 1


@pytest.mark.parametrize(
    ("permission", "named", "ssh", "looked"),
    [
        (True, True, True, False),
        (False, True, True, True),
        (True, False, True, True),
        (False, True, False, False),
        (False, False, False, False),
    ],
)
def test_it_is_only_looked_at_where_no_script_can_be_run(
    permission: bool,  # noqa: FBT001 - a table
    named: bool,  # noqa: FBT001
    ssh: bool,  # noqa: FBT001
    looked: bool,  # noqa: FBT001
) -> None:
    where = SshTarget(address="127.0.0.1", host_key="ssh-ed25519 AAAA")
    target = Target(
        schema_name="ovirt-release-target/1", name="t", run_release_scripts=permission,
        engine=EngineTarget(url="https://e/", ca_file=Path("ca"), ssh=where if ssh else None),
        nodes=(NodeTarget(name="n", address="n", ssh=where, storage="nfs"),), storage=StorageTarget(),
    )  # fmt: skip
    scripts = PAGE.scripts.model_copy(update={"live": LIVE, **({} if named else {"database": None})})
    page: Page = PAGE.model_copy(update={"scripts": scripts})
    assert (live_instead("database", page, target) is not None) is looked
    nowhere = PAGE.model_copy(update={"scripts": PAGE.scripts.model_copy(update={"live": None})})
    assert live_instead("database", nowhere, target) is None, "the page says nowhere where to look"
