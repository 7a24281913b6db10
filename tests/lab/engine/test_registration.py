"""The registration servlet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.lab.engine.conftest import Http
from tests.lab.engine.fakes import Bench
from tests.lab.engine.flows import Lab

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
