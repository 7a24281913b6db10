"""Approve and the rest of a host's life: states in the recorded order, refusals in the recorded words."""

from __future__ import annotations

from collections.abc import Callable

import ovirtsdk4 as sdk
import pytest
from ovirtsdk4 import types

from pytest_ovirt_release.lab.node.verbs import VdsmError
from tests.lab.engine.fakes import Bench, wait
from tests.lab.engine.flows import Lab, refused, watching

UP = types.HostStatus.UP
WRONG_STATUS = (
    "[Cannot approve RHVH Host.\n"
    '-Host must be in "Pending Approval" or "Install Failed" status in order to be approved.]'
)


@pytest.mark.parametrize(
    ("reboot", "order"),
    [
        (True, ["pending_approval", "installing", "reboot", "unassigned", "up"]),
        (False, ["pending_approval", "installing", "unassigned", "up"]),
    ],
)
def test_approve_goes_through_the_recorded_states(lab: Lab, reboot: bool, order: list[str]) -> None:  # noqa: FBT001
    host = lab.register()
    with watching(lab.bench.engine.core.state.hosts[host.id]) as states:
        lab.host(host.id).approve(reboot=reboot, headers={"Correlation-Id": "approve-1"})
        wait(lab.host(host.id).get, lambda seen: seen.status == UP)
    assert states == order
    assert lab.bench.ssh.deployed == [("127.0.0.2", 2222)]
    told = [event.code for event in lab.events(correlation_id="approve-1")]
    assert told == [560, 559, 559, 559, 559, 561, 498]
    assert (197 in lab.codes()) is reboot
    up = lab.events(type="13")[0]
    assert up.description == "Status of host node-1 was set to Up."
    assert up.correlation_id != "approve-1"


def test_a_host_that_is_up_shows_what_its_node_said(lab: Lab) -> None:
    host = lab.host_up()
    assert (host.memory, host.cpu.topology.cores, host.version.full_version) == (
        2 * 1024**3,
        2,
        "vdsm-4.50.7",
    )
    assert host.hardware_information.uuid == lab.bench.nodes["127.0.0.2"].uuid
    assert host.cluster.id == lab.system.clusters_service().list(search="name=Default")[0].id
    found = lab.system.hosts_service().list(search="status=up and address=127.0.0.2")
    assert [item.id for item in found] == [host.id]


def test_search_knows_the_back_ends_words_for_a_status(lab: Lab) -> None:
    lab.register()
    hosts = lab.system.hosts_service()
    assert hosts.list(search="status=pending_approval") == []
    assert [host.name for host in hosts.list(search="status=pendingapproval")] == ["node-1"]
    assert [host.name for host in hosts.list(search='name="node*" or name=host-0')] == ["host-0", "node-1"]
    assert hosts.list(search="bogusfield=1") == []


def test_approve_is_refused_where_it_does_not_belong(lab: Lab) -> None:
    host = lab.register()
    service = lab.host(host.id)
    assert refused(lambda: service.approve(cluster=types.Cluster(name="nosuch"))) == (
        404,
        "Entity not found: Cluster: name=nosuch",
    )
    nobody = "11111111-2222-4333-8444-555555555555"
    assert refused(lambda: service.approve(cluster=types.Cluster(id=nobody))) == (
        400,
        "[Cannot edit Host. Cluster ID is not valid.]",
    )
    assert refused(lambda: lab.host(nobody).approve()) == (
        400,
        "[Cannot approve Host - Host does not exists.]",
    )
    lab.host_up("node-2", "127.0.0.3")
    up = lab.system.hosts_service().list(search="name=node-2")[0]
    assert refused(lambda: lab.host(up.id).approve()) == (409, WRONG_STATUS)
    assert refused(lambda: lab.host(up.id).activate()) == (409, "[Cannot activate Host. Host in Up status.]")
    assert refused(lambda: lab.host(up.id).remove()) == (
        409,
        "[Cannot remove Host. Host is operational. Please switch Host to Maintenance mode first.]",
    )
    assert refused(service.deactivate) == (
        409,
        "[Cannot switch Host to Maintenance mode, Host is not operational.]",
    )


def test_a_failed_installation_is_told_by_an_event_only(lab: Lab) -> None:
    lab.bench.ssh.error = OSError("no route to host")
    host = lab.register()
    assert refused(lambda: lab.host(host.id).approve(reboot=False)) == (400, "[]")
    failed = lab.host(host.id).get()
    assert (failed.status.value, failed.reinstallation_required) == ("install_failed", True)
    event = lab.events(type="505")[0]
    assert event.severity.value == "error"
    assert "Task Install packages failed to execute" in event.description
    lab.bench.ssh.error = None
    lab.host(host.id).approve(reboot=False)
    wait(lab.host(host.id).get, lambda seen: seen.status == UP)


def test_a_failed_action_repeats_what_it_was_asked(lab: Lab) -> None:
    host = lab.host_up()
    body = "<action><cluster><name>Default</name></cluster><reboot>false</reboot></action>"
    answer = lab.http.api("POST", f"/hosts/{host.id}/approve", body)
    tags = [line.strip() for line in answer.text.splitlines()]
    assert tags[1:5] == ["<action>", "<cluster>", "<name>Default</name>", "</cluster>"]
    assert tags[-3:] == ["<reboot>false</reboot>", "<status>failed</status>", "</action>"]


def test_maintenance_and_back_and_removal(lab: Lab) -> None:
    host = lab.host_up()
    service = lab.host(host.id)
    with watching(lab.bench.engine.core.state.hosts[host.id]) as states:
        service.deactivate(reason="planned work")
        wait(service.get, lambda seen: seen.status.value == "maintenance")
        assert refused(service.deactivate) == (
            409,
            "[Cannot switch Host to Maintenance mode. Host is already in Maintenance mode.]",
        )
        service.activate()
        wait(service.get, lambda seen: seen.status == UP)
        service.deactivate()
        wait(service.get, lambda seen: seen.status.value == "maintenance")
        service.remove()
    away = ["preparing_for_maintenance", "maintenance"]
    assert states == ["up", *away, "unassigned", "up", *away]
    assert [code for code in lab.codes() if code in {600, 620, 14001, 16, 562, 563, 44}] == [
        *(600, 14001, 16, 620, 562, 563, 44)
    ]
    with pytest.raises(sdk.NotFoundError):
        service.get()


def test_a_host_moves_to_another_cluster_only_while_it_is_not_up(lab: Lab) -> None:
    lab.center(local=True)
    host = lab.register()
    service = lab.host(host.id)
    moved = service.update(types.Host(cluster=types.Cluster(name="dc-1-cluster")))
    assert moved.cluster.id == lab.system.clusters_service().list(search="name=dc-1-cluster")[0].id
    other = lab.host_up("node-2", "127.0.0.3")
    update = types.Host(cluster=types.Cluster(name="dc-1-cluster"))
    code, detail = refused(lambda: lab.host(other.id).update(update))
    assert (code, "Please switch Host to Maintenance mode first." in str(detail)) == (409, True)
    third = lab.http.register(name="node-3", address="127.0.0.4", uniqueId="uid-3")
    assert third.status == 200
    pending = lab.system.hosts_service().list(search="name=node-3")[0]
    assert refused(lambda: lab.host(pending.id).update(update)) == (
        400,
        '[Cannot add more than one Host to "Local Storage" Data Center]',
    )


def test_a_host_that_falls_silent_is_connecting_then_non_responsive_and_comes_back(lab: Lab) -> None:
    host = lab.host_up()
    node = lab.bench.nodes["127.0.0.2"]
    node.broken["host_get_capabilities"] = VdsmError(5022, "Message timeout")
    service = lab.host(host.id)
    wait(service.get, lambda seen: seen.status.value == "connecting")
    wait(service.get, lambda seen: seen.status.value == "non_responsive")
    assert 12 in lab.codes()
    node.broken.clear()
    wait(service.get, lambda seen: seen.status == UP)


def test_under_approve_fails_no_host_can_be_installed(make_bench: Callable[..., Bench]) -> None:
    lab = Lab(make_bench("approve-fails"))
    host = lab.register()
    assert refused(lambda: lab.host(host.id).approve()) == (400, "[]")
    assert lab.host(host.id).get().status.value == "install_failed"
    assert lab.bench.ssh.deployed == []
    lab.close()


def test_under_host_up_then_non_operational_up_is_only_a_moment(make_bench: Callable[..., Bench]) -> None:
    lab = Lab(make_bench("host-up-then-non-operational"))
    host = lab.register()
    lab.host(host.id).approve(reboot=False)
    fallen = wait(lab.host(host.id).get, lambda seen: seen.status.value == "non_operational")
    assert fallen.status_detail == "cluster_version_incompatible_with_cluster"
    assert [code for code in lab.codes() if code in {13, 154}] == [13, 154]
    assert lab.events(type="154")[0].description == (
        "Host node-1 is compatible with versions (4.2) and cannot join Cluster Default which is set to version 4.8."
    )
    assert lab.system.hosts_service().list(search="name=host-0")[0].status == UP
    lab.close()
