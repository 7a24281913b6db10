"""The lab's own page: what it shows, to whom, and that no name of a client's gets into it as HTML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from tests.lab.engine.fakes import Bench
    from tests.lab.engine.http import Http

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TAGS = {
    *("html", "head", "meta", "title", "noscript", "style", "body", "header", "h1", "p", "a", "span", "main"),
    *("div", "table", "caption", "tr", "th", "td", "script"),
}
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</td></main><base href=//x>")


def test_a_browser_sees_that_this_is_a_lab(reader: Http) -> None:
    page = reader("GET", "/ovirt-engine/", headers=BROWSER)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html;charset=UTF-8")
    assert f"REHEARSAL: this is the {LAB_BRAND}" in page.text
    assert "This is no oVirt engine" in page.text
    for name in (
        "Data centers",
        "Clusters",
        "Storage domains",
        "Hosts",
        "VMs",
        "Disks",
        "Events, newest first",
    ):
        assert f"<caption>{name}" in page.text
    assert "<td>Default</td>" in page.text


def test_the_way_of_a_browser_ends_at_the_page(reader: Http) -> None:
    for path, next_path in (("/", "/ovirt-engine"), ("/ovirt-engine", "/ovirt-engine/")):
        answer = reader("GET", path, headers=BROWSER)
        assert (answer.status, answer.headers["Location"]) == (302, reader.base + next_path)


@pytest.mark.parametrize("accept", ["*/*", "application/xml"])
def test_other_clients_are_sent_to_log_in(reader: Http, accept: str) -> None:
    answer = reader("GET", "/ovirt-engine/", headers={"Accept": accept})
    assert answer.status == 302
    assert answer.headers["Location"] == f"{reader.base}/ovirt-engine/login?scope=ovirt-ext%3Dauth%3Aidentity"


def test_hosts_and_events_appear(http: Http) -> None:
    http.register(name="node-1", address="127.0.0.2")
    page = http("GET", "/ovirt-engine/", headers=BROWSER).text
    assert "<td>node-1</td><td>pending_approval</td><td>127.0.0.2</td>" in page
    assert "Host node-1 registered." in page


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(http: Http, bench: Bench, text: str) -> None:
    core = bench.engine.core
    next(iter(core.state.data_centers.values())).name = text
    next(iter(core.state.clusters.values())).cpu_type = text
    for host in core.state.hosts.values():
        host.name = host.address = text
    core.event(42, f"Host {text} was added.")
    page = http("GET", "/ovirt-engine/", headers=BROWSER).text
    assert text not in page
    assert set(re.findall(r"<(\w+)", page)) == TAGS
    assert page.count("<script>") == 1


def test_a_page_that_was_broken_into_could_run_nothing(reader: Http) -> None:
    policy = reader("GET", "/ovirt-engine/", headers=BROWSER).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
