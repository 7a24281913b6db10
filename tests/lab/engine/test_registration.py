"""The registration servlet."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ovirtsdk4 import types

from tests.lab.engine.fakes import Bench, wait
from tests.lab.engine.flows import Lab, refused
from tests.lab.engine.http import Http

SERVLET = "/ovirt-engine/services/host-register"


def test_get_commands_answer_byte_for_byte(http: Http, bench: Bench) -> None:
    assert http("GET", f"{SERVLET}?version=1&command=get-version").text == "1"
    assert http("GET", f"{SERVLET}?version=1&command=get-ssh-trust").text == bench.ssh.public_key
    assert http("GET", f"{SERVLET}?version=1&command=get-pki-trust").text.endswith(
        "-----END CERTIFICATE-----\n"
    )


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "Invalid registration protocol version -1"),
        ("version=abc", "Invalid registration protocol version -1"),
        ("version=2&command=get-version", "Invalid registration protocol version 2"),
        ("version=1", "command parameter is missing"),
        ("version=1&command=bogus", "Invalid command"),
        ("version=1&command=register&address=127.0.0.90", "Unique id was not provided"),
        (
            "version=1&command=register&address=127.0.0.90&uniqueId=",
            "runInternalQuery failed 'Cannot register host '127.0.0.90' - host id is empty.'",
        ),
        ("version=1&command=register&uniqueId=1&vdsPort=abc", 'For input string: "abc"'),
        ("version=1&command=", "Invalid command"),
        ("version=-5&command=get-version", "Invalid registration protocol version -5"),
        ("version=%201&command=get-version", "Invalid registration protocol version -1"),
        ("version=99999999999", "Invalid registration protocol version -1"),
        ("version=1&command=register&sshPort=", 'For input string: ""'),
        ("version=1&command=register&uniqueId=1&sshPort=1_0", 'For input string: "1_0"'),
        ("version=1&command=register&uniqueId=1&vdsPort=2147483648", 'For input string: "2147483648"'),
        ("version=1&command=register&uniqueId=1&address=127.0.0.9&sshPort=0", "runInternalQuery failed ''"),
        ("version=1&command=register&uniqueId=1&address=127.0.0.90&vdsPort=-5", "runInternalQuery failed ''"),
        (
            "version=1&command=register&uniqueId=1&address=127.0.0.90&vdsPort=65536",
            "runInternalQuery failed ''",
        ),
        (
            "version=1&command=register&uniqueId=1&address=",
            "runInternalQuery failed 'Cannot register Host - no Hostname address specified.'",
        ),
        ("version=1&command=register&uniqueId=1&address=not%20a%20host", "runInternalQuery failed ''"),
    ],
)
def test_each_mistake_has_its_text(reader: Http, query: str, text: str) -> None:
    answer = reader("GET", f"{SERVLET}?{query}")
    assert (answer.status, answer.text) == (
        400,
        f"<html><head><title>Error</title></head><body>{text}</body></html>",
    )


def test_a_registered_node_is_pending_and_asking_again_changes_nothing(bench: Bench) -> None:
    lab = Lab(bench)
    host = lab.register()
    assert (host.status.value, host.address, host.type.value, host.ssh.port) == (
        "pending_approval",
        "127.0.0.2",
        "rhel",
        2222,
    )
    assert lab.http.register(name="other", address="127.0.0.3", uniqueId="uid-node-1").text == "OK\n"
    assert [item.name for item in lab.system.hosts_service().list()] == ["host-0", "node-1"]
    events = [
        (event.code, event.severity.value, event.description) for event in lab.events(1) if event.code != 30
    ]
    assert events == [
        (9000, "alert", "Failed to verify Power Management configuration for Host node-1."),
        (42, "normal", "Host node-1 was added by SYSTEM."),
        (828, "normal", "Host node-1 registered."),
    ]
    lab.close()


def test_a_taken_name_gets_a_number_and_a_taken_address_is_refused(bench: Bench) -> None:
    lab = Lab(bench)
    lab.register()
    assert lab.http.register(address="127.0.0.3", uniqueId="uid-2").status == 200
    clash = lab.http.register(name="third", uniqueId="uid-3")
    assert (clash.status, "runInternalQuery failed ''" in clash.text) == (400, True)
    assert [item.name for item in lab.system.hosts_service().list()] == ["host-0", "node-1", "node-1-2"]
    assert lab.codes()[-2:] == [828, 819]
    lab.close()


def test_a_node_without_a_name_gets_its_unique_id_for_one(bench: Bench) -> None:
    lab = Lab(bench)
    assert lab.http.register(name="", uniqueId="uid-7").status == 200
    assert [item.name for item in lab.system.hosts_service().list()] == ["host-0", "uid-7"]
    lab.close()


def test_nodes_register_into_the_cluster_of_the_setup_whatever_it_is_called(bench: Bench) -> None:
    lab = Lab(bench)
    clusters = lab.system.clusters_service()
    (default,) = clusters.list()
    clusters.cluster_service(default.id).update(types.Cluster(name="first"))
    host = lab.register()
    assert host.cluster.id == default.id
    # Who adds a host without naming a cluster means the one of that name, which is no more.
    code, detail = refused(
        lambda: lab.system.hosts_service().add(types.Host(name="n", address="127.0.0.3", root_password="x"))
    )
    assert (code, detail) == (404, "Entity not found: Cluster: name=Default")
    lab.close()


def test_without_the_cluster_of_the_setup_no_node_registers_whatever_others_there_are(bench: Bench) -> None:
    lab = Lab(bench)
    lab.center("other")
    (default,) = lab.system.clusters_service().list(search="name=Default")
    (bystander,) = lab.system.hosts_service().list()
    lab.host(bystander.id).deactivate()
    wait(lab.host(bystander.id).get, lambda seen: seen.status == types.HostStatus.MAINTENANCE)
    lab.host(bystander.id).remove()
    lab.system.clusters_service().cluster_service(default.id).remove()
    answer = lab.http.register()
    assert (answer.status, "runInternalQuery failed ''" in answer.text) == (400, True)
    assert lab.codes()[-1] == 826
    lab.close()


@pytest.mark.parametrize("servlet", ["health", "health/any", "pki-resource", "host-register"])
def test_services_tell_their_methods(reader: Http, servlet: str) -> None:
    answer = reader("OPTIONS", f"/ovirt-engine/services/{servlet}")
    assert (answer.status, answer.text, answer.headers["Allow"]) == (200, "", "GET, HEAD, TRACE, OPTIONS")
    assert reader("DELETE", f"/ovirt-engine/services/{servlet}").status == 405


def test_the_urls_of_vdsm_4_9_are_not_there(reader: Http) -> None:
    for path in (
        "/RHEVManagerWeb/VdsAutoRegistration.aspx",
        "/OvirtEngineWeb/register",
        "/engine.ssh.key.txt",
    ):
        answer = reader("GET", f"{path}?vds_ip=127.0.0.2&vds_name=old&vds_unique_id=1")
        assert (answer.status, answer.text) == (
            404,
            "<html><head><title>Error</title></head><body>Not Found</body></html>",
        )


def test_under_node_never_registers_the_engine_says_ok_and_forgets(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench("node-never-registers")
    lab = Lab(bench)
    assert lab.http.register().text == "OK\n"
    assert lab.system.hosts_service().list(search="name=node-1") == []
    assert 42 not in lab.codes()
    lab.close()
