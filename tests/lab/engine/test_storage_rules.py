"""What the engine refuses of storage domains, data centers and clusters, and in what order it looks."""

from __future__ import annotations

from typing import Any

import pytest
from ovirtsdk4 import types

from tests.lab.engine.fakes import wait
from tests.lab.engine.flows import Lab, refused
from tests.lab.engine.http import Http

NOBODY = "11111111-2222-4333-8444-555555555555"
MAINTENANCE = types.StorageDomainStatus.MAINTENANCE
NO_HOST = "There is no active Host in the Data Center.]"


def attach(lab: Lab, center: Any, domain: Any) -> Any:
    return lab.attached(center).add(types.StorageDomain(id=domain.id))


def down(lab: Lab, center: Any, domain: Any) -> Any:
    inside = lab.attached(center).storage_domain_service(domain.id)
    inside.deactivate()
    wait(inside.get, lambda seen: seen.status == MAINTENANCE)
    return inside


def test_an_attach_looks_for_the_data_center_then_a_host_then_the_domain(lab: Lab) -> None:
    center = lab.center()
    nowhere = types.DataCenter(id=NOBODY)
    assert refused(lambda: attach(lab, nowhere, nowhere)) == (400, "[Data Center doesn't exist.]")
    assert refused(lambda: attach(lab, center, nowhere)) == (409, f"[Cannot attach Storage. {NO_HOST}")
    lab.host_up(cluster="dc-1-cluster")
    assert refused(lambda: attach(lab, center, nowhere)) == (
        400,
        "[Cannot attach Storage. Storage Domain doesn't exist.]",
    )


def other(lab: Lab, name: str, kind: types.StorageDomainType, path: str = "/exports/more") -> Any:
    storage = types.HostStorage(type=types.StorageType.NFS, address="127.0.0.1", path=path)
    return lab.system.storage_domains_service().add(
        types.StorageDomain(name=name, type=kind, host=types.Host(name="node-1"), storage=storage)
    )


def test_a_data_center_begins_with_data(lab: Lab) -> None:
    center = lab.center()
    lab.host_up(cluster="dc-1-cluster")
    export = other(lab, "export-1", types.StorageDomainType.EXPORT)
    assert refused(lambda: attach(lab, center, export)) == (
        409,
        "[Cannot attach Storage Domain.\n-Please attach Data Domain to the Data Center first.]",
    )


def test_there_is_one_export_domain_at_the_most(lab: Lab) -> None:
    center, _, _ = lab.ready()
    export = other(lab, "export-1", types.StorageDomainType.EXPORT)
    attach(lab, center, export)
    code, detail = refused(lambda: attach(lab, center, export))
    assert (code, str(detail)[:66]) == (
        409,
        "[Cannot attach more than one Import/Export Storage Domain to the s",
    )


def test_without_an_active_master_nothing_is_attached_or_activated(lab: Lab) -> None:
    center, _, domain = lab.ready()
    second = lab.nfs(path="/exports/more", name="nfs-2")
    attach(lab, center, second)
    inside = down(lab, center, second)
    master = down(lab, center, domain)
    why = (
        "[Failed to {} Storage due to an error on the Data Center master Storage Domain.\n"
        "-Please activate the master Storage Domain first.]"
    )
    assert refused(inside.activate) == (409, why.format("activate"))
    assert refused(inside.remove) == (409, why.format("detach"))
    code, detail = refused(master.remove)
    assert (code, str(detail)[:89]) == (
        409,
        "[Cannot detach the master Storage Domain from the Data Center while there are other stora",
    )
    third = types.DataCenter(id=NOBODY)
    assert refused(lambda: attach(lab, center, third))[0] == 400
    service = lab.system.data_centers_service().data_center_service(center.id)
    assert refused(service.remove) == (
        409,
        "[Cannot remove Data Center when more than one Storage Domain is attached.]",
    )
    master.activate()
    inside.activate()
    assert inside.get().status == types.StorageDomainStatus.ACTIVE


def test_a_domain_at_work_is_refused_as_held(make_bench: Any) -> None:
    lab = Lab(make_bench(speed=5.0))
    center, _, domain = lab.ready()
    inside = lab.attached(center).storage_domain_service(domain.id)
    inside.deactivate()
    busy = "[Cannot {} Storage. Related operation is currently in progress. Please try again later.]"
    assert inside.get().status == types.StorageDomainStatus.LOCKED
    assert refused(inside.deactivate) == (409, busy.format("deactivate"))
    assert refused(inside.activate) == (409, busy.format("activate"))
    assert refused(inside.remove) == (409, busy.format("detach"))
    lab.close()


def test_a_domain_is_destroyed_only_where_it_is_not_needed(lab: Lab) -> None:
    center, _, domain = lab.ready()
    everywhere = lab.system.storage_domains_service().storage_domain_service(domain.id)
    assert refused(lambda: everywhere.remove(destroy=True)) == (
        409,
        "[Cannot destroy Storage. The relevant Storage Domain's status is Active.]",
    )
    down(lab, center, domain)
    code, detail = refused(lambda: everywhere.remove(destroy=True))
    assert (code, str(detail).count("without another active Storage Domain to take its place.")) == (409, 1)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (NOBODY, (400, "[Can not Remove Storage Domain - the underlying Host ID is invalid.]")),
        ("nosuch", (404, "Entity not found: nosuch")),
        ("resting", (409, "[Cannot remove Storage. Host node-1 is not up.]")),
    ],
)
def test_a_removal_wants_a_host_that_is_up(lab: Lab, host: str, expected: tuple[int, str]) -> None:
    node = lab.host_up()
    domain = lab.nfs()
    if host == "resting":
        lab.host(node.id).deactivate()
        wait(lab.host(node.id).get, lambda seen: seen.status == types.HostStatus.MAINTENANCE)
        host = "node-1"
    service = lab.system.storage_domains_service().storage_domain_service(domain.id)
    assert refused(lambda: service.remove(host=host, format=True)) == expected


def test_no_domain_leaves_under_a_running_vm(lab: Lab) -> None:
    center, host, domain = lab.ready()
    vm = lab.vm(host)
    lab.disk(vm, domain)
    lab.vm_service(vm).start()
    inside = lab.attached(center).storage_domain_service(domain.id)
    assert refused(inside.deactivate) == (
        409,
        (
            '[Cannot deactivate Storage. VMs in a state other than "Down" were detected.\n'
            "-Please ensure all VMs associated with this Storage Domain are stopped and in the Down state first.]"
        ),
    )


def test_all_that_stands_against_the_removal_of_a_cluster_is_told(lab: Lab) -> None:
    _, host, _ = lab.ready()
    lab.vm(host)
    (cluster,) = lab.system.clusters_service().list(search="name=dc-1-cluster")
    service = lab.system.clusters_service().cluster_service(cluster.id)
    assert refused(service.remove) == (
        409,
        (
            "[Cannot remove Cluster. Cluster contains one or more Hosts, "
            "Cannot remove Cluster. One or more VMs are still assigned to the Cluster]"
        ),
    )


def level(minor: int) -> str:
    return f"<version><major>4</major><minor>{minor}</minor></version>"


def put(http: Http, path: str, body: str) -> tuple[int, str]:
    answer = http.api("PUT", path, body)
    return answer.status, answer.text.partition("<detail>")[2].partition("</detail>")[0]


def test_levels_of_data_centers_and_clusters(lab: Lab) -> None:
    (center,) = lab.system.data_centers_service().list(search="name=Default")
    (cluster,) = lab.system.clusters_service().list(search="name=Default")
    centers, clusters = f"/datacenters/{center.id}", f"/clusters/{cluster.id}"
    bad = "Selected Compatibility Version is not supported.]"
    assert put(lab.http, centers, f"<data_center>{level(1)}</data_center>") == (
        400,
        f"[Cannot edit Data Center. {bad}",
    )
    assert put(lab.http, clusters, f"<cluster>{level(9)}</cluster>") == (400, f"[Cannot edit Cluster. {bad}")
    assert put(lab.http, clusters, f"<cluster>{level(7)}</cluster>") == (
        400,
        "[Cluster compatibility version can't be decreased if there are hosts in the Cluster.]",
    )
    assert put(lab.http, clusters, "<cluster><cpu><type>AMD EPYC</type></cpu></cluster>") == (
        409,
        "[Cannot change Cluster CPU type unless all Hosts attached to this Cluster are in Maintenance.]",
    )
    assert put(lab.http, clusters, "<cluster><cpu><type>Abacus</type></cpu></cluster>") == (
        400,
        "[Cannot edit Cluster. The chosen CPU is not supported.]",
    )
    body = "<cluster><name>{}</name><data_center><name>Default</name></data_center>{}</cluster>"
    low = lab.http.api("POST", "/clusters", body.format("low", level(7)))
    assert (low.status, "lower than the Data Center Compatibility Version." in low.text) == (400, True)
    assert put(lab.http, centers, f"<data_center>{level(7)}</data_center>")[0] == 200
    assert lab.http.api("POST", "/clusters", body.format("low", level(7))).status == 201
    assert put(lab.http, centers, f"<data_center>{level(8)}</data_center>") == (
        400,
        (
            "[Cannot update Data Center compatibility version to a value that is greater than its cluster's version. "
            "The following clusters should be upgraded: low.]"
        ),
    )
