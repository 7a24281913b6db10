"""What the API's root links to, and what other programs write into the lists of events and jobs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from defusedxml.ElementTree import fromstring

from pytest_ovirt_release.lab.engine.operating_systems import ICONS, OPERATING_SYSTEMS

if TYPE_CHECKING:
    from tests.lab.engine.http import Http

ODD = {
    "externalvmimports": 405,
    "externaltemplateimports": 405,
    "openstackvolumeproviders": 500,
    "katelloerrata": 400,
}
"""Collections that the engine links to and does not list."""


def test_every_link_of_the_root_answers(reader: Http) -> None:
    root = fromstring(reader.api("GET", "").text)
    names = [rel for link in root.findall("link") if "/" not in (rel := link.get("rel") or "")]
    assert len(names) == 39
    for name in names:
        answer = reader.api("GET", f"/{name}")
        assert answer.status in (ODD.get(name, 200), 501), name
        if answer.status == 501:
            assert f"GET /ovirt-engine/api/{name} is not implemented by this lab" in answer.text


@pytest.mark.parametrize("name", ["externalvmimports", "externaltemplateimports"])
def test_imports_are_only_started(reader: Http, name: str) -> None:
    answer = reader.api("GET", f"/{name}")
    assert (answer.status, answer.text, answer.headers["Allow"]) == (405, "", "POST, OPTIONS")


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/options", 404, "RESTEASY003210"),
        ("/options/InstallVds", 404, ""),
        ("/bookmarks/00000000-0000-0000-0000-000000000000", 404, ""),
        ("/operatingsystems/2", 404, ""),
        ("/icons/x", 404, ""),
    ],
)
def test_what_is_not_there(reader: Http, path: str, status: int, text: str) -> None:
    answer = reader.api("GET", path)
    assert (answer.status, answer.text[: len(text)]) == (status, text)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/icons", "HEAD, GET, OPTIONS"),
        ("DELETE", "/jobs/00000000-0000-0000-0000-000000000000", "HEAD, GET, OPTIONS"),
        ("PUT", "/events/1", "HEAD, DELETE, GET, OPTIONS"),
        ("POST", "/hosts/00000000-0000-0000-0000-000000000000/nics", "HEAD, GET, OPTIONS"),
        ("PUT", "/vms", "HEAD, POST, GET, OPTIONS"),
    ],
)
def test_what_a_path_does_not_take_is_405_and_not_501(
    reader: Http, method: str, path: str, allow: str
) -> None:
    answer = reader.api(method, path, "<any/>")
    assert (answer.status, answer.text, answer.headers["Allow"]) == (405, "", allow)


def test_operating_systems_show_icons_that_are_there(reader: Http) -> None:
    system = fromstring(reader.api("GET", "/operatingsystems/5").text)
    assert (system.findtext("name"), system.findtext("tpm_support")) == ("other_linux", "unsupported")
    icons = [icon.get("id", "") for tag in ("large_icon", "small_icon") for icon in system.findall(tag)]
    assert icons == list(ICONS["linux"])
    for icon in icons:
        assert reader.api("GET", f"/icons/{icon}").status == 200
    assert {item.icons for item in OPERATING_SYSTEMS} - {"none"} == set(ICONS)


def test_an_event_of_another_program(http: Http) -> None:
    body = "<event><custom_id>7</custom_id><description>{}</description><origin>probe</origin>{}</event>"
    severity = "<severity>error</severity>"
    added = http.api("POST", "/events", body.format("a &lt;b&gt;", severity))
    event = fromstring(added.text)
    assert (added.status, event.findtext("code"), event.findtext("flood_rate")) == (201, "9803", "30")
    assert event.findtext("description") == "a <b>"
    assert http.api("GET", f"/events/{event.get('id')}").text == added.text
    assert http.api("POST", "/events", body.format("a", "")).text.count("'event.severity' is mandatory") == 1
    bad = http.api("POST", "/events", body.format("a", "<severity>loud</severity>"))
    assert (bad.status, "Invalid value" in bad.text) == (400, True)
    missing = http.api("POST", "/events", f"<event>{severity}</event>")
    assert "'event.custom_id' is mandatory" in missing.text


def test_a_job_of_another_program(http: Http) -> None:
    added = http.api("POST", "/jobs", "<job><description>mine</description></job>")
    job = fromstring(added.text)
    shown = [job.findtext(tag) for tag in ("external", "status", "end_time")]
    assert (added.status, shown) == (201, ["true", "started", None])
    assert re.search(r"/api/v4/ovirt-engine/api/jobs/[-0-9a-f]{36}$", added.headers["Location"])


@pytest.mark.parametrize("body", ["<vm><bogus>x</bogus></vm>", "<vm><bogus/><name>a</name></vm>"])
def test_an_unknown_element_spoils_the_whole_document(reader: Http, body: str) -> None:
    answer = reader.api("POST", "/vms", body)
    assert (answer.status, "Request syntactically incorrect." in answer.text) == (400, True)
