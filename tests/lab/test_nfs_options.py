"""Version and mount options of the target's export are those of the engine's connection, and reach the host."""

from __future__ import annotations

import ovirtsdk4
import pytest

from pytest_ovirt_release.checks.engine import Engine
from pytest_ovirt_release.lab.engine import vdsm_params
from pytest_ovirt_release.lab.node.verbs import Connection
from pytest_ovirt_release.target.lab_process import LabProcess
from pytest_ovirt_release.target.loading import load_target


@pytest.mark.parametrize(("version", "options"), [("v4_1", "nconnect=4,noatime"), ("auto", None)])
def test_they_are_those_of_the_domain_s_connection(
    running_lab: LabProcess, version: str, options: str | None
) -> None:
    target = load_target(running_lab.target)
    assert target.storage.nfs is not None
    export = target.storage.nfs.model_copy(update={"version": version, "options": options})
    with Engine(target, "abcd1234", lambda *_: None) as engine:
        host = next(h for h in engine.hosts.list() if h.status == "up")
        domain_id = engine.storage.add_nfs("rel-abcd1234-nfs", "", host.id, export)
        try:
            found = raw(target.engine.url, str(target.engine.ca_file), running_lab, domain_id)
        finally:
            engine.storage.remove(domain_id, host.id)
    assert (found.address, found.path) == (export.address, export.path)
    assert (str(found.nfs_version), found.mount_options) == (version, options)


def raw(url: str, ca_file: str, lab: LabProcess, domain_id: str) -> ovirtsdk4.types.HostStorage:
    """Return a domain's connection as the SDK itself reads it."""
    password = (lab.folder / "engine.password").read_text().strip()
    connection = ovirtsdk4.Connection(
        url=url, username="admin@internal", password=password, ca_file=ca_file, timeout=20
    )
    try:
        service = connection.system_service().storage_domains_service().storage_domain_service(domain_id)
        return service.get().storage
    finally:
        connection.close()


def test_the_host_is_told_in_vdsm_s_words() -> None:
    given = (("mnt_options", "nconnect=4"), ("protocol_version", "4.1"))
    told = vdsm_params.connect(Connection("c1", "nfs", "/exports/data", "127.0.0.1", given))
    (parameters,) = told["connectionParams"]
    assert (parameters["mnt_options"], parameters["protocol_version"]) == ("nconnect=4", "4.1")
    assert (
        "mnt_options" not in vdsm_params.connect(Connection("c1", "localfs", "/data"))["connectionParams"][0]
    )
