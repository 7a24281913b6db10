"""POST /hosts and install: what the engine does with a host that it fetches by SSH."""

from __future__ import annotations

from functools import partial

from ovirtsdk4 import types

from tests.lab.engine.fakes import ROOT_PASSWORD, wait
from tests.lab.engine.flows import Lab, refused, watching

UP = types.HostStatus.UP
REFUSED = "[Cannot add Host. SSH authentication failed, verify authentication parameters are correct"
UNREACHABLE = "[Cannot add Host. Connecting to host via SSH has failed, verify that the host is reachable"


def wish(**fields: object) -> types.Host:
    return types.Host(**{"name": "node-1", "address": "127.0.0.2", "root_password": ROOT_PASSWORD} | fields)


def test_an_added_host_is_installing_at_once_and_comes_up_by_way_of_initializing(lab: Lab) -> None:
    added = lab.system.hosts_service().add(wish(), headers={"Correlation-Id": "add-1"})
    assert (added.status.value, added.network_operation_in_progress) == ("installing", False)
    assert added.ssh.fingerprint.startswith("SHA256:")
    with watching(lab.bench.engine.core.state.hosts[added.id]) as states:
        wait(lab.host(added.id).get, lambda seen: seen.status == UP)
    assert states == ["installing", "reboot", "initializing", "up"]
    told = [event.code for event in lab.events(correlation_id="add-1")]
    assert sorted(told) == sorted([42, 560, 559, 559, 559, 559, 559, 561, 504])
    assert lab.bench.engine.core.state.hosts[added.id].unique_id == lab.bench.nodes["127.0.0.2"].uuid


def test_what_is_wrong_with_a_new_host_is_said_before_it_is_there(lab: Lab) -> None:
    hosts = lab.system.hosts_service()
    key = types.Ssh(fingerprint="SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
    for host, code, said in (
        (types.Host(), 400, "Host [name, address] required for add"),
        (wish(root_password=None), 400, "[Cannot install Host with empty password.]"),
        (wish(root_password="wrong"), 409, REFUSED),
        (wish(ssh=key), 409, UNREACHABLE),
        (wish(name="n" * 256), 400, "[size must be between 1 and 255, Attribute: vdsStatic.name]"),
        (wish(name="a b"), 400, '[Host name must be formed of alphanumeric characters, numbers or "-_."'),
        (wish(cluster=types.Cluster(name="nosuch")), 404, "Entity not found: Cluster: name=nosuch"),
        (wish(name="host-0"), 409, "[Cannot add Host. The Host name is already in use"),
        (wish(address="127.0.0.9"), 409, "[Cannot add Host. Host with the same address already exists.]"),
    ):
        status, detail = refused(partial(hosts.add, host))
        assert (status, str(detail).startswith(said)) == (code, True), (detail, said)
    assert [host.name for host in hosts.list()] == ["host-0"]


def test_the_engines_own_key_serves_where_it_is_already(lab: Lab) -> None:
    ssh = types.Ssh(authentication_method=types.SshAuthenticationMethod.PUBLICKEY)
    added = lab.system.hosts_service().add(wish(root_password=None, ssh=ssh), query={"reboot": "false"})
    wait(lab.host(added.id).get, lambda seen: seen.status == UP)
    assert 197 not in lab.codes()


def test_a_failed_installation_of_a_new_host_leaves_it_and_its_job_failed(lab: Lab) -> None:
    lab.bench.ssh.error = OSError("no route to host")
    added = lab.system.hosts_service().add(wish())
    wait(lab.host(added.id).get, lambda seen: seen.status.value == "install_failed")
    jobs = {job.description: job.status.value for job in lab.system.jobs_service().list()}
    assert jobs["Adding new Host node-1 to Cluster Default"] == "failed"


def test_a_host_is_installed_again_in_maintenance_only(lab: Lab) -> None:
    host = lab.host_up()
    service = lab.host(host.id)
    busy = (409, "[Cannot install Host. Please move Host to Maintenance mode first.]")
    assert refused(lambda: service.install(root_password=ROOT_PASSWORD)) == busy
    service.deactivate()
    wait(service.get, lambda seen: seen.status.value == "maintenance")
    assert refused(service.install) == (400, "[Cannot install Host with empty password.]")
    with watching(lab.bench.engine.core.state.hosts[host.id]) as states:
        service.install(root_password=ROOT_PASSWORD, query={"reboot": "false"})
        wait(service.get, lambda seen: seen.status.value == "maintenance" and 504 in lab.codes())
        service.install(root_password=ROOT_PASSWORD, activate=True, query={"reboot": "false"})
        wait(service.get, lambda seen: seen.status == UP)
    assert states == ["maintenance", "installing", "maintenance", "installing", "initializing", "up"]


def test_what_stands_below_a_host_is_what_its_node_has(lab: Lab) -> None:
    service = lab.host(lab.host_up().id)
    (nic,) = service.nics_service().list()
    assert (nic.name, nic.ip.address) == ("eth0", "127.0.0.2")
    assert [item.in_sync for item in service.network_attachments_service().list()] == [True]
    figures = {item.name: item.values[0].datum for item in service.statistics_service().list()}
    assert figures["memory.total"] == 2 * 1024**3
    assert [core.index for core in service.numa_nodes_service().list()[0].cpu.cores] == [0, 1]
    assert service.hooks_service().list() == []


def test_a_refused_command_leaves_a_job_that_failed_while_it_was_validated(lab: Lab) -> None:
    host = lab.host_up()
    assert refused(lab.host(host.id).activate)[0] == 409
    jobs = lab.system.jobs_service()
    job = next(job for job in jobs.list() if job.description == f"Invoking Activate Host {host.name}")
    steps = jobs.job_service(job.id).steps_service().list()
    assert [(step.type.value, step.status.value) for step in steps] == [("validating", "failed")]
