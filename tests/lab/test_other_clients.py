"""Other people's clients on a lab that runs by itself: the calls of the SDK's examples, and curl as the guides show it."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ovirtsdk4 as sdk
import pytest
import urllib3
from ovirtsdk4 import types

from pytest_ovirt_release.target.lab_process import LabProcess
from pytest_ovirt_release.target.loading import load_target
from pytest_ovirt_release.target.model import Target

MEBIBYTE = 1024**2
IMAGE = bytes(range(256)) * (MEBIBYTE // 256)
SECONDS = 60


@pytest.fixture(scope="module")
def target(running_lab: LabProcess) -> Target:
    return load_target(running_lab.target)


@pytest.fixture(scope="module")
def password(target: Target) -> str:
    assert target.engine.password_file is not None
    return target.engine.password_file.read_text().strip()


@pytest.fixture(scope="module")
def system(target: Target, password: str) -> Iterator[Any]:
    """The root of the SDK's services."""
    engine = target.engine
    connection = sdk.Connection(
        url=engine.url, username=engine.user, password=password, ca_file=str(engine.ca_file)
    )
    assert connection.test(raise_exception=True)
    yield connection.system_service()
    connection.close()


def wait(what: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """Ask again and again, as all the examples do."""
    end = time.monotonic() + SECONDS
    while not wanted(seen := what()):
        assert time.monotonic() < end, f"still {seen}"
        time.sleep(0.1)
    return seen


@pytest.fixture(scope="module")
def host(system: Any, target: Target) -> Any:
    """A node that registered by itself, and was approved."""
    name, hosts = target.nodes[0].name, system.hosts_service()
    (found,) = wait(lambda: hosts.list(search=f"name={name}"), bool)
    service = hosts.host_service(found.id)
    assert found.status == types.HostStatus.PENDING_APPROVAL
    service.approve(cluster=types.Cluster(name="Default"))
    return wait(service.get, lambda seen: seen.status == types.HostStatus.UP)


@pytest.fixture(scope="module")
def domain(system: Any, target: Target, host: Any) -> Any:
    """An NFS data domain, attached to the data center Default."""
    nfs = target.storage.nfs
    assert nfs is not None
    domains = system.storage_domains_service()
    made = domains.add(
        types.StorageDomain(
            name="mydata",
            description="My data",
            type=types.StorageDomainType.DATA,
            host=types.Host(name=host.name),
            storage=types.HostStorage(type=types.StorageType.NFS, address=nfs.address, path=nfs.path),
        )
    )
    wait(
        domains.storage_domain_service(made.id).get,
        lambda seen: seen.status == types.StorageDomainStatus.UNATTACHED,
    )
    center = system.data_centers_service().list(search="name=Default")[0]
    attached = system.data_centers_service().data_center_service(center.id).storage_domains_service()
    attached.add(types.StorageDomain(id=made.id))
    wait(
        attached.storage_domain_service(made.id).get,
        lambda seen: seen.status == types.StorageDomainStatus.ACTIVE,
    )
    return made


@pytest.fixture(scope="module")
def vm(system: Any, domain: Any) -> Iterator[Any]:
    """A VM with one disk, removed at the end."""
    vms = system.vms_service()
    made = vms.add(
        types.Vm(
            name="myvm",
            cluster=types.Cluster(name="Default"),
            template=types.Template(name="Blank"),
            memory=128 * MEBIBYTE,
            os=types.OperatingSystem(boot=types.Boot(devices=[types.BootDevice.HD])),
        )
    )
    service = vms.vm_service(made.id)
    attachment = service.disk_attachments_service().add(
        types.DiskAttachment(
            disk=types.Disk(
                name="mydisk",
                description="My disk",
                format=types.DiskFormat.RAW,
                provisioned_size=MEBIBYTE,
                storage_domains=[types.StorageDomain(name=domain.name)],
            ),
            interface=types.DiskInterface.VIRTIO,
            bootable=True,
            active=True,
        )
    )
    disk = system.disks_service().disk_service(attachment.disk.id)
    wait(disk.get, lambda seen: seen.status == types.DiskStatus.OK)
    yield made
    service.remove()
    with pytest.raises(sdk.NotFoundError):
        service.get()
    wait(lambda: system.disks_service().list(search="name=mydisk"), lambda seen: not seen)


def test_lists(system: Any, host: Any, domain: Any) -> None:
    """Every list that an example prints."""
    assert host.name in {item.name for item in system.hosts_service().list()}
    assert "Default" in {item.name for item in system.clusters_service().list()}
    assert "Default" in {item.name for item in system.data_centers_service().list(search="status=up")}
    assert [item.name for item in system.storage_domains_service().list(search="type=nfs")] == [domain.name]
    assert "Blank" in {item.name for item in system.templates_service().list()}
    assert [event.id for event in system.events_service().list(max=2)]
    assert system.get().product_info.version.major == 4


def test_searches_of_the_upload_helper(system: Any, host: Any, domain: Any) -> None:
    """The example for uploads looks for a host by its storage: data center by domain, then host by data center."""
    centers = system.data_centers_service().list(search=f"Storage.name={domain.name}")
    assert [center.name for center in centers] == ["Default"]
    found = system.hosts_service().list(search="hosts.status=Up and datacenter=Default")
    assert host.name in {item.name for item in found}


def test_pages(system: Any, vm: Any) -> None:
    """Pages of a search, one after the other, until one is empty."""
    vms, seen = system.vms_service(), []
    others = [
        vms.add(types.Vm(name=f"page-{n}", cluster=types.Cluster(name="Default"), template=vm.template))
        for n in range(3)
    ]
    try:
        for number in range(1, 4):
            page = vms.list(search=f"name=page-* sortby name desc page {number}", max=2)
            seen += [item.name for item in page]
        assert seen == ["page-2", "page-1", "page-0"]
    finally:
        for other in others:
            vms.vm_service(other.id).remove()


def test_links(system: Any, vm: Any) -> None:
    """A link is followed by a request of its own, or by `follow` within one."""
    found = system.vms_service().list(search="name=myvm")[0]
    assert system._connection.follow_link(found.cluster).name == "Default"
    assert system._connection.follow_link(found.template).name == "Blank"
    service = system.vms_service().vm_service(vm.id)
    (attachment,) = service.disk_attachments_service().list()
    assert system._connection.follow_link(attachment.disk).name == "mydisk"
    followed = service.get(follow="cluster,disk_attachments.disk")
    assert followed.cluster.name == "Default"
    assert followed.disk_attachments[0].disk.provisioned_size == MEBIBYTE
    (listed,) = system.vms_service().list(search="name=myvm", follow="disk_attachments.disk")
    assert listed.disk_attachments[0].disk.name == "mydisk"


def test_upload_and_download(system: Any, target: Target, host: Any, vm: Any) -> None:
    """A disk's bytes go to the image daemon of a host, and come back as they were."""
    disk = system.disks_service().list(search="name=mydisk")[0]
    for direction, method in (
        (types.ImageTransferDirection.UPLOAD, "PUT"),
        (types.ImageTransferDirection.DOWNLOAD, "GET"),
    ):
        transfers = system.image_transfers_service()
        transfer = transfers.add(
            types.ImageTransfer(
                disk=types.Disk(id=disk.id),
                host=types.Host(id=host.id),
                direction=direction,
                format=types.DiskFormat.RAW,
                inactivity_timeout=60,
                timeout_policy=types.ImageTransferTimeoutPolicy.CANCEL,
            )
        )
        service = transfers.image_transfer_service(transfer.id)
        transfer = wait(service.get, lambda seen: seen.phase != types.ImageTransferPhase.INITIALIZING)
        assert transfer.phase == types.ImageTransferPhase.TRANSFERRING
        context = ssl.create_default_context(cafile=str(target.engine.ca_file))
        http = urllib3.PoolManager(ssl_context=context)
        answer = http.request(method, transfer.transfer_url, body=IMAGE if method == "PUT" else None)
        assert answer.status == 200
        assert method == "PUT" or answer.data == IMAGE
        service.finalize()
        wait(service.get, lambda seen: seen.phase == types.ImageTransferPhase.FINISHED_SUCCESS)
        wait(
            system.disks_service().disk_service(disk.id).get,
            lambda seen: seen.status == types.DiskStatus.OK,
        )


def test_start_and_stop(system: Any, vm: Any) -> None:
    """The VM found by its name is started, runs, and is stopped."""
    found = system.vms_service().list(search="name=myvm")[0]
    service = system.vms_service().vm_service(found.id)
    service.start()
    wait(service.get, lambda seen: seen.status == types.VmStatus.UP)
    assert [item.id for item in system.vms_service().list(search="status=up")] == [found.id]
    service.stop()
    wait(service.get, lambda seen: seen.status == types.VmStatus.DOWN)


class Curl:
    """The command, with what all calls have in common."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.api = target.engine.url
        self.base = self.api.removesuffix("/api")
        self.common = ["curl", "--silent", "--show-error", "--cacert", str(target.engine.ca_file)]
        self.folder = folder

    def __call__(self, *words: str) -> str:
        done = subprocess.run(
            [*self.common, *words], capture_output=True, text=True, timeout=SECONDS, check=True
        )
        return done.stdout


GUIDE = (Path(__file__).parents[2] / "docs" / "lab.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("language", "program"), [("bash", "bash"), ("python", sys.executable)])
def test_what_the_guide_shows(language: str, program: str, running_lab: LabProcess, tmp_path: Path) -> None:
    """The snippets of docs/lab.md do what they say."""
    (tmp_path / "mylab").symlink_to(running_lab.target.parent)
    (snippet,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [program, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert "host-0" in done.stdout


@pytest.fixture
def curl(target: Target, tmp_path: Path) -> Curl:
    return Curl(target, tmp_path)


def test_curl_with_a_token(curl: Curl, password: str) -> None:
    """A token by form, then requests with it, then its end."""
    token = json.loads(
        curl(
            *("--header", "Accept: application/json", "--data", "grant_type=password"),
            *("--data", "scope=ovirt-app-api", "--data", "username=admin@internal"),
            *("--data-urlencode", f"password={password}", f"{curl.base}/sso/oauth/token"),
        )
    )["access_token"]
    bearer = ("--header", "Version: 4", "--header", f"Authorization: Bearer {token}")
    assert "<product_info>" in curl(*bearer, "--header", "Accept: application/xml", curl.api)
    end = ("--data", "scope=ovirt-app-api", "--data", f"token={token}", f"{curl.base}/services/sso-logout")
    assert json.loads(curl(*end)) == {}
    assert curl(*bearer, "--output", "/dev/null", "--write-out", "%{http_code}", curl.api) == "401"


def test_curl_with_a_password_and_a_file(curl: Curl, password: str) -> None:
    """Objects are made, changed and removed with documents in files."""
    user = ("--user", f"admin@internal:{password}")
    send = (*user, "--header", "Content-Type: application/xml", "--header", "Accept: application/xml")
    document = curl.folder / "center.xml"
    document.write_text("<data_center><name>by-curl</name><local>false</local></data_center>")
    made = curl(*send, "-X", "POST", "--data", f"@{document}", f"{curl.api}/datacenters")
    id_ = made.split('id="')[1].split('"')[0]
    assert "<name>by-curl</name>" in curl(*user, f"{curl.api}/datacenters?search=name%3Dby-curl")
    document.write_text("<data_center><description>changed</description></data_center>")
    changed = curl(*send, "-X", "PUT", "--data", f"@{document}", f"{curl.api}/datacenters/{id_}")
    assert "<description>changed</description>" in changed
    gone = curl(*user, "-X", "DELETE", f"{curl.api}/datacenters/{id_}")
    assert "<status>complete</status>" in gone
    zipped = curl(*user, "--compressed", f"{curl.api}/hosts;max=1")
    assert zipped.count("<host ") == 1


def test_curl_with_a_session(curl: Curl, password: str) -> None:
    """A session is opened once and goes on by its cookie, without the password."""
    jar = str(curl.folder / "cookies")
    prefer = ("--header", "Prefer: persistent-auth")
    first = (*prefer, "--cookie-jar", jar, "--user", f"admin@internal:{password}", f"{curl.api}/clusters")
    assert "<name>Default</name>" in curl(*first)
    assert "JSESSIONID" in Path(jar).read_text()
    assert "<name>Default</name>" in curl(*prefer, "--cookie", jar, f"{curl.api}/clusters")
    # The last request leaves out the header, which ends the session.
    assert "<name>Default</name>" in curl("--cookie", jar, f"{curl.api}/clusters")
    code = curl(
        "--cookie", jar, "--output", "/dev/null", "--write-out", "%{http_code}", f"{curl.api}/clusters"
    )
    assert code == "401"


def test_every_href_is_answered(curl: Curl, password: str, vm: Any) -> None:
    """What an answer links to as an object can be asked for."""
    user = ("--user", f"admin@internal:{password}")
    root = urlsplit(curl.api)
    text = curl(*user, f"{curl.api}/vms/{vm.id}")
    for tag in ("cluster", "template", "vm"):
        href = text.split(f'<{tag} href="')[1].split('"')[0]
        code = curl(
            *user,
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            f"{root.scheme}://{root.netloc}{href}",
        )
        assert code == "200", href
