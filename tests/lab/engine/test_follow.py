"""The parameter `follow`, and the collections that come with data centers and clusters."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from tests.lab.engine.flows import Lab
from tests.lab.engine.http import Http


def read(http: Http, path: str) -> Element:
    answer = http.api("GET", path)
    assert answer.status == 200, answer.text
    root: Element = fromstring(answer.text)
    return root


def test_a_linked_collection_and_a_linked_object_stand_in_the_answer(http: Http) -> None:
    clusters = read(http, "/clusters?follow=networks,data_center.quotas")
    assert clusters.findtext("cluster/networks/network/name") == "ovirtmgmt"
    assert clusters.findtext("cluster/data_center/name") == "Default"
    assert clusters.findtext("cluster/data_center/quotas/quota/name") == "Default"
    assert [link.get("rel") for link in clusters.findall("cluster/link")].count("networks") == 1
    one = read(http, f"/clusters/{clusters[0].get('id')}?follow=mac_pool,scheduling_policy")
    assert one.findtext("mac_pool/ranges/range/from") == "56:6f:1a:2b:00:00"
    assert one.findtext("scheduling_policy/name") == "none"


def test_a_link_that_is_none_is_the_engines_own_error(http: Http) -> None:
    answer = http.api("GET", "/clusters?follow=nosuch")
    assert answer.status == 500
    assert "Problem following 'nosuch' link in Clusters entity." in answer.text
    assert http.api("GET", "/vms?follow=nosuch").status == 200  # nothing there whose link could be missed
    assert http.api("GET", "/datacenters?follow=permissions").status == 501


def test_every_collection_of_a_fresh_engine_can_be_read_by_id(http: Http) -> None:
    for name in ("networks", "vnicprofiles", "networkfilters", "macpools", "schedulingpolicies"):
        for item in read(http, f"/{name}"):
            assert read(http, f"/{name}/{item.get('id')}").findtext("name") == item.findtext("name")
        assert http.api("GET", f"/{name}/11111111-2222-4333-8444-555555555555").status == 404
    assert len(read(http, "/schedulingpolicyunits")) == 37


def test_links_of_a_vm_are_followed_although_its_text_is_kept(lab: Lab) -> None:
    lab.ready()
    vm = lab.vm()
    for _ in range(2):
        read(lab.http, "/vms")
        (found,) = read(lab.http, "/vms?follow=cluster,disk_attachments")
        assert found.findtext("cluster/name") == "dc-1-cluster"
        assert found.find("disk_attachments") is not None
    assert read(lab.http, f"/vms/{vm.id}?follow=cluster").findtext("cluster/name") == "dc-1-cluster"
    assert read(lab.http, f"/vms/{vm.id}").findtext("cluster/name") is None


def test_a_cluster_is_refused_with_the_engines_words(http: Http) -> None:
    for body, wanted in (
        ("<name>c</name><data_center><name>nosuch</name></data_center>", "Datacenter: name=nosuch"),
        ("<name>c d</name><data_center><name>Default</name></data_center>", "must be formed of"),
        (f"<name>{'c' * 41}</name><data_center><name>Default</name></data_center>", "must not exceed 40"),
    ):
        answer = http.api("POST", "/clusters", f"<cluster>{body}</cluster>")
        assert (answer.status in {400, 404}, wanted in answer.text) == (True, True), answer.text


def test_what_a_collection_refuses_before_it_is_not_implemented(http: Http) -> None:
    address = "<address>127.0.0.1</address>"
    for path, body, status in (
        ("/networks", "<network><name>n</name></network>", 400),
        ("/macpools", "<mac_pool><name>p</name></mac_pool>", 501),
        ("/storageconnections", f"<storage_connection>{address}<type>nfs</type></storage_connection>", 400),
        ("/storageconnections", "<storage_connection><type>bogus</type></storage_connection>", 400),
    ):
        assert http.api("POST", path, body).status == status
