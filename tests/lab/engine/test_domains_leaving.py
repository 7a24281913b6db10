"""Attachments that a host refuses, and what the domains that stay do when another one leaves."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import ovirtsdk4 as sdk
import pytest
from ovirtsdk4 import types

from pytest_ovirt_release.lab.node.verbs import Space, VdsmError
from tests.lab.engine.fakes import wait
from tests.lab.engine.flows import Lab, refused

MAINTENANCE = types.StorageDomainStatus.MAINTENANCE


def _resting(lab: Lab, host: Any) -> bool:
    """Send a host to maintenance, as soon as its storage tasks have ended; return whether it is there."""
    service = lab.host(host.id)
    if service.get().status == types.HostStatus.UP:
        with suppress(sdk.Error):
            service.deactivate()
    return bool(service.get().status == types.HostStatus.MAINTENANCE)


def test_a_domain_that_the_host_does_not_find_stays_unattached(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    center = lab.center()
    lab.host_up(cluster="dc-1-cluster")
    domain = lab.nfs()
    node = lab.bench.nodes["127.0.0.2"]

    async def lost(domain_id: str) -> Space:
        raise VdsmError(358, f"Storage domain does not exist: {domain_id}")

    with monkeypatch.context() as patched:
        patched.setattr(node, "get_storage_domain_stats", lost)
        attach = lab.attached(center).add
        assert refused(lambda: attach(types.StorageDomain(id=domain.id))) == (400, "[]")
    assert lab.codes()[-3:] == [10802, 1003, 963]
    everywhere = lab.system.storage_domains_service().storage_domain_service(domain.id)
    assert everywhere.get().status.value == "unattached"
    assert attach(types.StorageDomain(id=domain.id)).status.value == "active"


def test_a_domain_that_leaves_makes_the_ovf_store_of_the_one_that_stays(lab: Lab) -> None:
    center, host, _ = lab.ready()
    other = lab.nfs(path="/exports/more", name="nfs-2")
    lab.attached(center).add(types.StorageDomain(id=other.id))
    inside = lab.attached(center).storage_domain_service(other.id)
    inside.deactivate()
    wait(inside.get, lambda seen: seen.status == MAINTENANCE)
    inside.remove()
    code, detail = refused(lab.host(host.id).deactivate)
    assert (code, "asynchronous running tasks" in str(detail)) == (409, True)
    wait(lambda: lab.codes().count(2021), lambda made: made == 4)


def test_a_data_center_that_is_up_is_not_removed_by_force(lab: Lab) -> None:
    center, host, domain = lab.ready()
    service = lab.system.data_centers_service().data_center_service(center.id)
    assert refused(lambda: service.remove(force=True)) == (409, "[Cannot remove an active Data Center.]")
    inside = lab.attached(center).storage_domain_service(domain.id)
    inside.deactivate()
    wait(inside.get, lambda seen: seen.status == MAINTENANCE)
    assert refused(lambda: service.remove(force=True)) == (
        409,
        "[Cannot remove Data Center while there are Hosts that are not in Maintenance mode.]",
    )
    wait(lambda: _resting(lab, host), bool)
    service.remove(force=True)
    assert lab.system.storage_domains_service().list() == []
