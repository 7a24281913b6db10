"""Data centers, clusters, storage domains: the way up, the way down, the refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ovirtsdk4 as sdk
import pytest
from ovirtsdk4 import types

from pytest_ovirt_release.lab.node.verbs import VdsmError
from tests.lab.engine.fakes import wait
from tests.lab.engine.flows import Lab, refused, watching

ACTIVE = types.StorageDomainStatus.ACTIVE
MAINTENANCE = types.StorageDomainStatus.MAINTENANCE


def test_a_data_center_and_its_cluster(lab: Lab) -> None:
    center = lab.center()
    assert (center.status.value, center.local, center.version.minor) == ("uninitialized", False, 8)
    cluster = lab.system.clusters_service().list(search="name=dc-1-cluster")[0]
    assert (cluster.data_center.id, cluster.bios_type.value) == (center.id, "q35_ovmf")
    centers = lab.system.data_centers_service()
    again = types.DataCenter(name="dc-1", local=False)
    assert refused(lambda: centers.add(again)) == (
        409,
        "[Cannot create Data Center. The Data Center name is already in use.]",
    )
    service = centers.data_center_service(center.id)
    service.remove()
    assert [item.name for item in centers.list()] == ["Default"]
    orphan = lab.system.clusters_service().cluster_service(cluster.id)
    assert orphan.get().data_center is None
    orphan.remove()
    assert [code for code in lab.codes() if code != 30] == [950, 850, 850, 10130, 809, 954, 813]


def test_a_local_data_center_takes_one_cluster(lab: Lab) -> None:
    center = lab.center(local=True)
    second = types.Cluster(name="second", data_center=types.DataCenter(id=center.id))
    assert refused(lambda: lab.system.clusters_service().add(second)) == (
        400,
        '[Cannot add more than one Cluster to a Data Center with "Local Storage".]',
    )


def test_nfs_up_and_down_in_the_recorded_order(lab: Lab) -> None:
    center = lab.center()
    host = lab.host_up(cluster="dc-1-cluster")
    before = len(lab.events())
    domain = lab.nfs()
    assert domain.status.value == "unknown"
    everywhere = lab.system.storage_domains_service().storage_domain_service(domain.id)
    assert everywhere.get().status.value == "unattached"
    inside = lab.attached(center).storage_domain_service(domain.id)
    with pytest.raises(sdk.NotFoundError):
        inside.get()
    state = lab.bench.engine.core.state
    with (
        watching(state.storage_domains[domain.id]) as states,
        watching(state.data_centers[center.id]) as center_states,
        watching(state.hosts[host.id], "spm_status") as spm_states,
    ):
        attached = lab.attached(center).add(
            types.StorageDomain(id=domain.id), headers={"Correlation-Id": "attach-1"}
        )
        assert (attached.status, attached.master) == (ACTIVE, True)
        assert everywhere.get().status is None
        assert lab.host(host.id).get().spm.status.value == "spm"
        assert lab.system.data_centers_service().data_center_service(center.id).get().status.value == "up"
        inside.deactivate()
        wait(inside.get, lambda seen: seen.status == MAINTENANCE)
        inside.remove()
        wait(lambda: center_states[-1], lambda seen: seen == "uninitialized")
    assert states == [
        *("unattached", "locked", "active", "locked", "preparing_for_maintenance", "maintenance"),
        *("locked", "unattached"),
    ]
    assert center_states == [
        *("uninitialized", "maintenance", "contend", "maintenance", "up"),
        *("maintenance", "contend", "maintenance", "uninitialized"),
    ]
    assert spm_states == ["none", "contending", "spm", "none", "contending", "spm", "none"]
    assert everywhere.get().status.value == "unattached"
    told = [event for event in lab.events(before) if event.code != 30]
    assert [event.code for event in told] == [
        *(10120, 956, 986, 204, 966, 1002, 962),
        *(2036, 2036, 2021, 2021, 1030, 204, 964),
    ]
    by_code = {event.code: event for event in told}
    assert by_code[962].correlation_id == "attach-1"
    assert by_code[966].correlation_id not in {"attach-1", None}
    assert by_code[1030].severity.value == "normal"


def test_the_teardown_of_a_data_center_that_was_used(lab: Lab) -> None:
    center, host, domain = lab.ready()
    node = lab.bench.nodes["127.0.0.2"]
    service = lab.system.data_centers_service().data_center_service(center.id)
    assert refused(service.remove) == (409, "[Cannot remove an active Data Center.]")
    inside = lab.attached(center).storage_domain_service(domain.id)
    assert refused(inside.remove) == (
        409,
        "[Cannot detach Storage. The relevant Storage Domain's status is Active.]",
    )
    everywhere = lab.system.storage_domains_service().storage_domain_service(domain.id)
    code, detail = refused(lambda: everywhere.remove(host="node-1", format=True))
    assert (code, "is inaccessible" in str(detail)) == (409, True)
    inside.deactivate()
    wait(inside.get, lambda seen: seen.status == MAINTENANCE)
    service.remove()
    assert everywhere.get().status.value == "unattached"
    assert refused(lambda: everywhere.remove(host="nosuch")) == (404, "Entity not found: nosuch")
    everywhere.remove(host="node-1", format=True)
    assert node.exports["127.0.0.1", "/exports/data"] == {}
    with pytest.raises(sdk.NotFoundError):
        everywhere.get()
    cluster = lab.system.clusters_service().list(search="name=dc-1-cluster")[0]
    in_use = lab.system.clusters_service().cluster_service(cluster.id)
    assert refused(in_use.remove) == (409, "[Cannot remove Cluster. Cluster contains one or more Hosts]")
    lab.host(host.id).deactivate()
    wait(lab.host(host.id).get, lambda seen: seen.status.value == "maintenance")
    lab.host(host.id).remove()
    in_use.remove()


def test_local_storage_comes_up_within_the_request_and_leaves_for_good(lab: Lab) -> None:
    center = lab.center(local=True)
    host = lab.host_up(cluster="dc-1-cluster")
    domain = lab.local()
    inside = lab.attached(center).storage_domain_service(domain.id)
    assert (inside.get().status, inside.get().master) == (ACTIVE, True)
    assert lab.system.data_centers_service().data_center_service(center.id).get().status.value == "up"
    assert refused(inside.remove) == (
        409,
        "[Cannot remove Storage. The relevant Storage Domain's status is Active.]",
    )
    lab.host(host.id).deactivate()
    wait(lab.host(host.id).get, lambda seen: seen.status.value == "maintenance")
    code, detail = refused(lab.host(host.id).remove)
    assert (code, "it contains a local Storage Domain" in str(detail)) == (409, True)
    lab.host(host.id).activate()
    wait(inside.get, lambda seen: seen.status == ACTIVE)
    wait(lab.host(host.id).get, lambda seen: seen.status.value == "up")
    inside.deactivate()
    wait(inside.get, lambda seen: seen.status == MAINTENANCE)
    inside.remove()
    assert lab.system.storage_domains_service().list() == []
    assert lab.bench.exports["127.0.0.2", "/data/images"] == {}
    wait(
        lab.system.data_centers_service().data_center_service(center.id).get,
        lambda seen: seen.status.value == "uninitialized",
    )
    lab.system.data_centers_service().data_center_service(center.id).remove()


def _nfs(**change: Any) -> types.StorageDomain:
    storage = {"type": types.StorageType.NFS, "address": "127.0.0.1", "path": "/exports/data"}
    fields = {
        "name": "nfs-1",
        "type": types.StorageDomainType.DATA,
        "host": types.Host(name="node-1"),
        "storage": types.HostStorage(**(storage | change.pop("storage", {}))),
    }
    return types.StorageDomain(**(fields | change))


@pytest.mark.parametrize(
    ("change", "code", "detail"),
    [
        ({"storage": {"path": "/exports/missing"}}, 400, "[Problem while trying to mount target]"),
        (
            {"storage": {"path": "relative/path"}},
            400,
            "[Mount path is illegal, please use [IP:/path or FQDN:/path] convention.]",
        ),
        ({"storage": {"path": ""}}, 400, "HostStorage [path] required for add"),
        ({"name": "s" * 60}, 400, "[Cannot add Storage. The given name is too long.]"),
        ({"name": None}, 400, "StorageDomain [name] required for add"),
        ({"host": types.Host(name="nosuch")}, 404, "Entity not found: Hosts: name=nosuch"),
        (
            {"storage": {"type": types.StorageType.LOCALFS, "path": "/data/images", "address": None}},
            400,
            '[Data Center must be "Local Storage"]',
        ),
    ],
)
def test_adding_a_domain_is_refused_in_the_recorded_words(
    lab: Lab, change: dict[str, Any], code: int, detail: str
) -> None:
    lab.host_up()
    domains = lab.system.storage_domains_service()
    assert refused(lambda: domains.add(_nfs(**change))) == (code, detail)
    assert lab.system.storage_connections_service().list() == []
    lab.nfs()


def test_what_the_node_refuses_is_worded_by_the_engine(lab: Lab) -> None:
    lab.host_up()
    node = lab.bench.nodes["127.0.0.2"]
    domains = lab.system.storage_domains_service()
    node.broken["connect"] = VdsmError(469, "whatever")
    code, detail = refused(lambda: domains.add(_nfs()))
    assert (code, "Permission settings on the specified path" in str(detail)) == (400, True)
    assert lab.events(type="996")[0].description.startswith(
        "The error message for connection 127.0.0.1:/exports/data"
    )
    node.broken.clear()
    node.broken["create_storage_domain"] = VdsmError(351, "whatever")
    assert refused(lambda: domains.add(_nfs())) == (400, "[Error creating a storage domain]")
    assert lab.codes()[-1] == 957
    assert node.said[-1] == "disconnect /exports/data"
    node.broken.clear()
    lab.nfs()


def test_a_path_in_use_is_refused_and_a_path_with_a_domain_becomes_an_import(lab: Lab) -> None:
    lab.host_up()
    first = lab.nfs()
    code, detail = refused(lambda: lab.nfs(name="nfs-2"))
    assert (code, str(detail).endswith("already exists for nfs-1.]")) == (409, True)
    assert refused(lambda: lab.nfs(path="/exports/more")) == (
        409,
        "[Cannot add Storage. The Storage Domain name is already in use.]",
    )
    service = lab.system.storage_domains_service().storage_domain_service(first.id)
    service.remove(host="node-1", format=False)
    again = lab.nfs(name="renamed")
    assert (again.id, again.name) == (first.id, "renamed")
    lab.system.storage_domains_service().storage_domain_service(first.id).remove(destroy=True)
    assert lab.codes()[-1] == 981


def test_removal_without_a_host_has_a_reason_and_no_detail(lab: Lab) -> None:
    lab.host_up()
    domain = lab.nfs()
    answer = lab.http.api("DELETE", f"/storagedomains/{domain.id}")
    assert answer.status == 400
    assert "<reason>host parameter is missing</reason>" in answer.text
    assert "<detail>" not in answer.text


def test_a_second_domain_and_the_master_role(lab: Lab) -> None:
    center, _, first = lab.ready()
    second = lab.nfs(path="/exports/more", name="nfs-2")
    lab.attached(center).add(types.StorageDomain(id=second.id))
    inside = lab.attached(center).storage_domain_service(first.id)
    inside.deactivate()
    wait(inside.get, lambda seen: seen.status == MAINTENANCE)
    assert [code for code in lab.codes() if code in {968, 1029, 1030}] == [968, 1029]
    assert lab.attached(center).storage_domain_service(second.id).get().master
    assert lab.system.data_centers_service().data_center_service(center.id).get().status.value == "up"
    inside.activate()
    assert inside.get().status == ACTIVE


def test_of_two_that_attach_or_create_at_once_one_is_refused(lab: Lab) -> None:
    center = lab.center()
    lab.host_up(cluster="dc-1-cluster")
    domain = lab.nfs()
    path = f"/datacenters/{center.id}/storagedomains"
    body = f'<storage_domain id="{domain.id}"/>'
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: lab.http.api("POST", path, body).status, range(4)))
    assert sorted(answers) == [201, 409, 409, 409]
    assert lab.codes().count(962) == 1
    new = (
        "<storage_domain><name>nfs-2</name><type>data</type><host><name>node-1</name></host>"
        "<storage><type>nfs</type><address>127.0.0.1</address><path>/exports/more</path></storage></storage_domain>"
    )
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: lab.http.api("POST", "/storagedomains", new).status, range(4)))
    assert sorted(answers) == [201, 409, 409, 409]
