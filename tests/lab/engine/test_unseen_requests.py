"""Requests that nobody recorded, whose answers follow from the engine's rules for all of their kind."""

from __future__ import annotations

import pytest

from tests.lab.engine.http import Http

NOBODY = "11111111-2222-4333-8444-555555555555"


def test_cluster_levels_tell_processors_and_permits(reader: Http) -> None:
    listed = reader.api("GET", "/clusterlevels")
    assert listed.status == 200
    assert listed.text.count("<cluster_level ") == 7
    one = reader.api("GET", "/clusterlevels/4.8").text
    assert "<name>Secure Intel Haswell Family</name>" in one
    assert '<permit id="1">' in one
    assert 'rel="clusterfeatures"' in one
    assert reader.api("GET", "/clusterlevels/9.9").status == 404


def test_the_option_that_names_the_levels_can_be_seen(reader: Http) -> None:
    answer = reader.api("GET", "/options/SupportedClusterLevels")
    assert "<version>general</version>" in answer.text
    assert "4.8" in answer.text
    assert reader.api("GET", "/options/InstallVds").status == 404


@pytest.mark.parametrize(
    ("path", "document", "said"),
    [
        ("/vms", "<vm><stateless>maybe</stateless></vm>", "isn't a valid boolean"),
        ("/vms", "<vm><type>bogus</type></vm>", "'VmType' enumerated type"),
        ("/vms", "<vm><cpu_shares>abc</cpu_shares></vm>", "For correct usage"),
        (
            "/clusters",
            "<cluster><ballooning_enabled>x</ballooning_enabled></cluster>",
            "isn't a valid boolean",
        ),
        ("/datacenters", "<data_center><quota_mode>x</quota_mode></data_center>", "'disabled', 'audit'"),
        ("/jobs", "<job><description>d</description><auto_cleared>x</auto_cleared></job>", "valid boolean"),
    ],
)
def test_what_an_element_cannot_hold_is_refused_before_anything_else(
    reader: Http, path: str, document: str, said: str
) -> None:
    answer = reader.api("POST", path, document)
    assert (answer.status, said in answer.text) == (400, True)


@pytest.mark.parametrize("name", ["bad name!", "x" * 256])
def test_the_name_of_a_vm_is_looked_at_first(reader: Http, name: str) -> None:
    body = f"<vm><name>{name}</name><cluster><name>Default</name></cluster><template><name>Blank</name></template></vm>"
    answer = reader.api("POST", "/vms", body)
    assert (answer.status, "Attribute: vmStatic.name]" in answer.text) == (400, True)


def test_a_domain_wants_its_host_before_its_storage(reader: Http) -> None:
    body = "<storage_domain><type>data</type><host><name>nosuch</name></host><storage><path>/x</path></storage></storage_domain>"
    answer = reader.api("POST", "/storagedomains", body)
    assert (answer.status, "Entity not found: Hosts: name=nosuch" in answer.text) == (404, True)


@pytest.mark.parametrize("path", ["networks", "macpools", "vnicprofiles", "storageconnections", "templates"])
def test_nothing_is_done_to_what_is_not_there(reader: Http, path: str) -> None:
    for method in ("PUT", "DELETE"):
        answer = reader.api(method, f"/{path}/{NOBODY}", "<x/>")
        assert (answer.status, answer.text) == (404, "")


def test_what_the_lab_does_not_do_to_what_is_there_is_said_by_name(reader: Http) -> None:
    answer = reader.api("DELETE", "/templates/00000000-0000-0000-0000-000000000000")
    assert (answer.status, "DELETE /ovirt-engine/api/templates/" in answer.text) == (501, True)


def test_a_code_is_for_registered_clients_only(reader: Http) -> None:
    status, said = reader.token(grant_type="authorization_code", scope="ovirt-app-api", code="x")
    assert (status, said["error"]) == (400, "Missing parameter: 'client_id'")


@pytest.mark.parametrize("collection", ["datacenters", "clusters", "hosts"])
def test_an_update_does_not_change_an_id(http: Http, collection: str) -> None:
    listed = http.api("GET", f"/{collection}").text
    id_ = listed.partition(f"/{collection}/")[2].partition('"')[0].partition("/")[0]
    tag = {"datacenters": "data_center", "clusters": "cluster", "hosts": "host"}[collection]
    other = http.api("PUT", f"/{collection}/{id_}", f'<{tag} id="{NOBODY}"/>')
    assert (other.status, "Attempt to set immutable field: id" in other.text) == (409, True)
    assert http.api("PUT", f"/{collection}/{id_}", f'<{tag} id="{id_}"/>').status == 200
