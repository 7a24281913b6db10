"""What the SDK hides: headers, bodies, layout, the border of what the lab does. Expected facts are recorded ones."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from tests.lab.engine.fakes import Bench
from tests.lab.engine.flows import Lab
from tests.lab.engine.http import Http

NOBODY = "11111111-2222-4333-8444-555555555555"
SYNTAX = "Request syntactically incorrect."
HOST_PENDING = (
    "actions name comment link*16 address auto_numa_status certificate cpu device_passthrough external_status "
    "hardware_information kdump_status ksm max_scheduling_memory memory numa_supported os ovn_configured port "
    "power_management protocol reinstallation_required se_linux spm ssh status summary transparent_hugepages type "
    "update_available vgpu_placement cluster"
)
DATA_CENTER = "actions name link*7 local quota_mode status supported_versions version"
STORAGE_DOMAIN = (
    "available backup block_size committed critical_space_action_blocker discard_after_delete external_status master "
    "status storage storage_format supports_discard supports_discard_zeroes_data type used "
    "warning_low_space_indicator wipe_after_delete"
)
EVENT = (
    "description code correlation_id custom_id flood_rate index origin severity time cluster data_center host template "
    "user vm"
)
DISK_ATTACHMENT = "active bootable interface pass_discard read_only uses_scsi_reservation disk vm"
ACTION = "job status vm"


def shape(element: Element) -> str:
    """Return the names of an element's children in order, runs of one name counted."""
    runs: list[list[str]] = []
    for child in element:
        if not runs or runs[-1][0] != child.tag:
            runs.append([])
        runs[-1].append(child.tag)
    return " ".join(run[0] if len(run) == 1 else f"{run[0]}*{len(run)}" for run in runs)


def fault(text: str) -> tuple[str | None, str | None]:
    root = fromstring(text)
    return root.findtext("detail"), root.findtext("reason")


def test_objects_have_the_recorded_structure(bench: Bench) -> None:
    lab = Lab(bench)
    pending = lab.register("node-9", "127.0.0.3")
    assert shape(fromstring(lab.http.api("GET", f"/hosts/{pending.id}").text)) == HOST_PENDING
    center, host, domain = lab.ready()
    fresh = "<data_center><local>false</local><name>dc-2</name></data_center>"
    assert shape(fromstring(lab.http.api("POST", "/datacenters", fresh).text)) == DATA_CENTER
    inside = fromstring(lab.http.api("GET", f"/datacenters/{center.id}/storagedomains/{domain.id}").text)
    assert STORAGE_DOMAIN in shape(inside)
    assert shape(inside).endswith("wipe_after_delete data_center data_centers")
    vm = lab.vm(host)
    lab.disk(vm, domain)
    attached = fromstring(lab.http.api("GET", f"/vms/{vm.id}/diskattachments").text)
    assert shape(attached[0]) == DISK_ATTACHMENT
    started = fromstring(lab.http.api("POST", f"/vms/{vm.id}/start", "<action/>").text)
    assert shape(started) == ACTION
    event = fromstring(lab.http.api("GET", "/events?search=type%3D153").text)
    assert shape(event[0]) == EVENT
    lab.close()


def test_the_layout_is_the_engines(http: Http) -> None:
    answer = http.api("GET", "/disks")
    assert answer.text == '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<disks/>\n'
    assert answer.headers["Content-Type"] == "application/xml;charset=UTF-8"
    center = http.api("GET", "/datacenters").text.splitlines()
    assert center[2].startswith('    <data_center href="/ovirt-engine/api/datacenters/')
    assert center[7] == "        <name>Default</name>"


def test_the_location_header_holds_the_path_twice(http: Http) -> None:
    answer = http.api("POST", "/datacenters", "<data_center><local>false</local><name>a</name></data_center>")
    root = fromstring(answer.text)
    assert answer.status == 201
    assert answer.headers["Location"] == f"{http.base}/ovirt-engine/api/v4{root.get('href')}"


@pytest.mark.parametrize(
    ("asked", "echoed"),
    [("my corr_id-42!x", "mycorr_id-42x"), ("a" * 60, "a" * 36), ("attach-1", "attach-1")],
)
def test_the_correlation_id_is_cleaned_and_echoed(reader: Http, asked: str, echoed: str) -> None:
    assert reader.api("GET", "", headers={"Correlation-Id": asked}).headers["Correlation-Id"] == echoed
    assert len(reader.api("GET", "").headers["Correlation-Id"]) == 36


def test_the_root_links_to_everything_the_real_one_has(reader: Http) -> None:
    answer = reader.api("GET", "")
    root = fromstring(answer.text)
    assert len(root.findall("link")) == 52
    assert root.findtext("summary/hosts/active") == "1"
    assert f"<{reader.base}/ovirt-engine/api/vms>; rel=vms" in answer.headers["Link"]
    assert 'href="/ovirt-engine/api/v4/vms"' in reader.api("GET", "/v4").text


def test_options_lists_the_methods(reader: Http) -> None:
    answer = reader.api("OPTIONS", "")
    assert (answer.status, answer.text, answer.headers["Allow"]) == (200, *["HEAD, GET, OPTIONS"] * 2)
    assert reader.api("OPTIONS", "/vms").text == "HEAD, POST, GET, OPTIONS"


def test_what_the_lab_does_not_do_is_named(reader: Http) -> None:
    for method, path in (
        ("GET", "/roles"),
        ("GET", f"/vms/{NOBODY}/snapshots"),
        ("POST", f"/vms/{NOBODY}/clone"),
    ):
        answer = reader.api(method, path, "<action/>" if method == "POST" else None)
        assert answer.status == 501
        assert fault(answer.text) == (
            f"{method} /ovirt-engine/api{path} is not implemented by this lab",
            "Not implemented",
        )
    assert reader.api("GET", "/vms", headers={"Accept": "application/json"}).status == 501


def test_what_the_real_engine_does_not_have_is_not_there(reader: Http) -> None:
    answer = reader.api("GET", f"/vms/{NOBODY}/nosuch")
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (404, "text/html")
    assert answer.text == (
        f"RESTEASY003210: Could not find resource for full path: {reader.base}/ovirt-engine/api/v4/vms/{NOBODY}/nosuch"
    )
    for path in ("/nosuch", "/nosuch/1"):
        assert "RESTEASY003210" in reader.api("GET", path).text


@pytest.mark.parametrize(
    "path", ["vms", "hosts", "datacenters", "clusters", "storagedomains", "disks", "templates", "jobs"]
)
def test_an_unknown_id_is_an_empty_404(reader: Http, path: str) -> None:
    for id_ in (NOBODY, "not-a-uuid"):
        answer = reader.api("GET", f"/{path}/{id_}")
        assert (answer.status, answer.text) == (404, "")


def test_an_unknown_event_is_a_fault(reader: Http) -> None:
    answer = reader.api("GET", "/events/abc")
    assert (answer.status, fault(answer.text)) == (400, ('For input string: "abc"', "Operation failed"))


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/vms", "HEAD, POST, GET, OPTIONS"),
        ("DELETE", "/vms", "HEAD, POST, GET, OPTIONS"),
        ("DELETE", "", "HEAD, GET, OPTIONS"),
    ],
)
def test_a_wrong_method_is_answered_with_the_right_ones(
    reader: Http, method: str, path: str, allow: str
) -> None:
    answer = reader.api(method, path)
    assert (answer.status, answer.text, answer.headers["Allow"]) == (405, "", allow)


@pytest.mark.parametrize(
    ("path", "body", "status", "expected"),
    [
        ("/vms", "<vm><name>x</vm>", 400, ("apidoc#services/vms/methods/add", SYNTAX)),
        ("/vms", "", 400, ("apidoc#services/vms/methods/add", SYNTAX)),
        ("/vms", "<vm><memory>abc</memory></vm>", 400, ("apidoc#services/vms/methods/add", SYNTAX)),
        (
            "/datacenters",
            "<data_center><name>x</name><local>maybe</local></data_center>",
            400,
            (
                'Value "maybe" isn\'t a valid boolean, it should be "true" , "false", "0" or "1"',
                "Invalid value",
            ),
        ),
        (
            "/datacenters",
            "<data_center/>",
            400,
            ("Parameter 'data_center.local'", "Input validation failed."),
        ),
        (
            "/clusters",
            "<cluster/>",
            400,
            ("Parameter 'cluster.name' is mandatory", "Input validation failed."),
        ),
        (
            "/storagedomains",
            "<storage_domain/>",
            400,
            ("StorageDomain [host.id|name, type, storage] required for add", "Incomplete parameters"),
        ),
        (
            "/disks",
            "<disk/>",
            400,
            ("Disk [provisionedSize, format] required for add", "Incomplete parameters"),
        ),
        (
            "/storagedomains",
            "<storage_domain><type>bogus</type></storage_domain>",
            400,
            (
                "The string 'bogus' isn't a valid value for the 'StorageDomainType' enumerated type.",
                "Invalid value",
            ),
        ),
    ],
)
def test_a_bad_document_is_refused_in_the_engines_words(
    reader: Http, path: str, body: str, status: int, expected: tuple[str, str]
) -> None:
    answer = reader.api("POST", path, body)
    detail, reason = fault(answer.text)
    assert (answer.status, reason) == (status, expected[1])
    assert expected[0] in (detail or "")


def test_other_documents_and_types_are_not_taken(reader: Http) -> None:
    wrong = reader.api("POST", "/vms", "<host><name>x</name></host>")
    assert (wrong.status, wrong.text) == (500, "argument type mismatch")
    untyped = reader.api("POST", "/vms", "<vm/>", {"Content-Type": "text/csv"})
    assert (untyped.status, untyped.text) == (415, "")
    assert reader.api("GET", "", headers={"Accept": "application/pdf"}).status == 406
    assert reader.api("POST", "/vms", "<vm>" + " " * (17 * 1024 * 1024) + "</vm>").status == 413
    bomb = '<!DOCTYPE vm [<!ENTITY e "y">]><vm><name>&e;</name></vm>'
    assert reader.api("POST", "/vms", bomb).status == 400


def test_text_from_clients_cannot_break_a_document(http: Http) -> None:
    body = "<data_center><local>false</local><name>a</name><description>&lt;b&gt; &amp; \u00e9</description></data_center>"
    http.api("POST", "/datacenters", body)
    root = fromstring(http.api("GET", "/datacenters?search=name%3Da").text)
    assert root.findtext("data_center/description") == "<b> & \u00e9"


def test_old_and_unknown_api_versions(reader: Http) -> None:
    assert reader.api("GET", "/v3").status == 405
    assert reader.api("GET", "", headers={"Version": "3"}).status == 405
    five = reader.api("GET", "/v5")
    assert (five.status, "<body>Bad Request</body>" in five.text) == (400, True)


def test_events_are_newest_first_and_max_keeps_the_newest(bench: Bench) -> None:
    lab = Lab(bench)
    lab.center()
    events = lab.system.events_service()
    indexes = [event.index for event in events.list()]
    assert indexes == sorted(indexes, reverse=True)
    last = indexes[0]
    assert [event.index for event in events.list(from_=1, max=2)] == [last, last - 1]
    assert events.list(max=0) == []
    assert events.list(from_=last) == []
    matrix = fromstring(lab.http.api("GET", "/events;max=1").text)
    assert len(matrix) == 1
    assert len(fromstring(lab.http.api("GET", "/events?max=abc").text)) > 1
    lab.close()


def test_a_job_tells_how_a_command_ended(bench: Bench) -> None:
    lab = Lab(bench)
    host = lab.register()
    lab.host(host.id).approve(reboot=False)
    jobs = lab.system.jobs_service().list()
    assert [(job.description, job.status.value) for job in jobs] == [
        ("Adding new Host node-1 (Approve process) to Cluster <UNKNOWN>", "finished")
    ]
    assert lab.system.jobs_service().job_service(jobs[0].id).get().end_time is not None
    lab.close()


def test_a_page_that_is_not_there_is_missed(reader: Http) -> None:
    assert reader("GET", "/ovirt-engine/no-such-page").status == 404
