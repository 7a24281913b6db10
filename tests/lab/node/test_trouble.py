"""What the engine shows when a node gets into trouble: in states, in their order, and in its event log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.lab.engine.fakes import wait
from tests.lab.engine.flows import watching
from tests.lab.node.house import DEADLINE, House


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "nfs"
    for name in ("data", "more"):
        (folder / "exports" / name).mkdir(parents=True)
    return folder


@pytest.fixture
def house(tmp_path: Path, exports: Path) -> Iterator[House]:
    built = House(tmp_path / "lab", exports)
    yield built
    built.close()


@contextmanager
def states(house: House, place: int) -> Iterator[list[str]]:
    """Collect the states of a host until the block ends."""
    with watching(house.engine.core.state.hosts[house.host(place).id]) as seen:
        yield seen


@contextmanager
def domain_states(house: House, domain: Any) -> Iterator[list[str]]:
    with watching(house.engine.core.state.storage_domains[domain.id]) as seen:
        yield seen


def codes(house: House, *wanted: int) -> list[int]:
    """Return the wanted event codes, oldest first."""
    return [code for code in house.lab.codes() if code in wanted]


def test_nodes_register_by_themselves_when_they_boot(house: House) -> None:
    hosts = house.lab.system.hosts_service()
    wait(lambda: len(hosts.list()), (2).__eq__, DEADLINE)
    assert {(h.name, h.address, h.status.value) for h in hosts.list()} == {
        ("node-1", "127.0.0.2", "pending_approval"),
        ("node-2", "127.0.0.3", "pending_approval"),
    }
    assert codes(house, 42, 828) == [42, 828, 42, 828]


def test_each_node_lives_on_an_address_of_its_own(house: House) -> None:
    house.approved(1, 2)
    first, second = house.host(1), house.host(2)
    assert {first.address, second.address} == set(house.nodes)
    assert first.hardware_information.uuid != second.hardware_information.uuid
    assert [first.hardware_information.uuid, second.hardware_information.uuid] == [
        node.uuid for node in house.nodes.values()
    ]
    assert [house.shell(place, "hostname") for place in (1, 2)] == [(0, "node-1\n"), (0, "node-2\n")]
    assert house.node(1).vdsm is not house.node(2).vdsm


def test_a_node_that_vanishes_is_connecting_then_non_responsive(house: House) -> None:
    house.approved(1, 2)
    with states(house, 1) as seen:
        house.do(house.node(1).vanish())
        house.until(1, "non_responsive")
        assert house.status(2) == "up"
        house.do(house.node(1).start())
        house.until(1, "up")
    assert seen == ["up", "connecting", "non_responsive", "up"]
    assert codes(house, 9027, 12) == [9027, 12]
    assert house.lab.codes().count(828) == 2, "a node that the engine knows is not registered once more"


@pytest.mark.parametrize("by", ["method", "ssh"])
def test_a_node_that_hangs_is_connecting_and_comes_back(house: House, by: str) -> None:
    house.approved(1)
    with states(house, 1) as seen:
        if by == "method":
            house.call(house.node(1).hang)
        else:
            assert house.shell(1, "systemctl kill --signal=SIGSTOP vdsmd")[0] == 0
        house.until(1, "connecting")
        assert house.shell(1, "systemctl is-active vdsmd") == (0, "active\n")
        if by == "method":
            house.call(house.node(1).resume)
        else:
            assert house.shell(1, "systemctl kill --signal=SIGCONT vdsmd")[0] == 0
        house.until(1, "up")
    assert seen == ["up", "connecting", "up"]
    assert codes(house, 9027, 12) == [9027]


def test_a_hang_without_end_is_non_responsive(house: House) -> None:
    house.approved(1)
    with states(house, 1) as seen:
        house.call(house.node(1).hang)
        house.until(1, "non_responsive")
    assert seen == ["up", "connecting", "non_responsive"]
    assert codes(house, 9027, 12) == [9027, 12]


def test_a_stopped_service_is_like_a_node_that_is_gone(house: House) -> None:
    house.approved(1)
    assert house.shell(1, "systemctl stop vdsmd")[0] == 0
    assert house.shell(1, "systemctl is-active vdsmd") == (3, "inactive\n")
    house.until(1, "non_responsive")
    assert house.shell(1, "systemctl start vdsmd")[0] == 0
    house.until(1, "up")


def test_a_reboot_takes_connections_along_and_the_engine_makes_them_anew(house: House, exports: Path) -> None:
    house.approved(1)
    domain = house.nfs("nfs-1")
    mount = house.node(1)._files.path("/rhev/data-center/mnt/127.0.0.1:_exports_data")
    assert (mount / domain.id / "dom_md" / "metadata").exists()
    with states(house, 1) as seen:
        assert house.shell(1, "reboot")[0] == 0
        house.until(1, "connecting")
        assert not mount.exists()
        house.until(1, "up")
    wait(mount.exists, bool, DEADLINE)
    # Its daemons start at their own pace, which the lab's clock does not scale: it may be away for too long.
    assert (seen[:2], seen[-1]) == (["up", "connecting"], "up")
    assert set(seen) <= {"up", "connecting", "non_responsive"}
    house.domain_until("nfs-1", "active")
    house.disk(domain, "after", b"x" * 4096)


def test_a_node_that_loses_its_storage_is_non_operational_while_others_see_it(house: House) -> None:
    house.approved(1, 2)
    domain = house.nfs("nfs-1")
    with states(house, 2) as seen, domain_states(house, domain) as shown:
        rule = "OUTPUT -p tcp --dport 2049 -j DROP"
        assert house.shell(2, f"iptables -A {rule}")[0] == 0
        host = house.until(2, "non_operational")
        assert host.status_detail == "storage_domain_unreachable"
        assert (house.status(1), house.domain_status("nfs-1")) == ("up", "active")
        assert house.shell(2, f"iptables -D {rule}")[0] == 0
        house.until(2, "up")
    assert seen == ["up", "non_operational", "unassigned", "up"]
    assert shown == ["active"]
    assert codes(house, 522, 970, 9502) == [522, 9502]
    (told,) = [event for event in house.lab.events() if event.code == 522]
    assert told.description == (
        "Host node-2 cannot access the Storage Domain(s) nfs-1 attached to the Data Center Default. "
        "Setting Host state to Non-Operational."
    )


def test_a_domain_that_no_host_sees_is_inactive_until_one_does(house: House, exports: Path) -> None:
    house.approved(1, 2)
    house.nfs("nfs-1")
    second = house.nfs("nfs-2", "/exports/more")
    away = exports / "exports" / "gone"
    with domain_states(house, second) as seen:
        (exports / "exports" / "more").rename(away)
        house.domain_until("nfs-2", "inactive")
        assert house.domain_status("nfs-1") == "active"
        away.rename(exports / "exports" / "more")
        house.domain_until("nfs-2", "active")
    assert seen == ["active", "inactive", "active"]
    assert [house.status(place) for place in (1, 2)] == ["up", "up"]
    assert codes(house, 522, 970) == [970]


def test_a_master_that_no_host_sees_takes_its_data_center_along(house: House) -> None:
    house.approved(1, 2)
    house.nfs("nfs-1")
    for node in house.nodes.values():
        house.call(node.lose_storage)
    house.domain_until("nfs-1", "inactive")
    assert house.center().status.value == "not_operational"
    assert codes(house, 970, 983) == [983]
    for node in house.nodes.values():
        house.call(node.regain_storage)
    house.domain_until("nfs-1", "active")
    wait(lambda: house.center().status.value, "up".__eq__, DEADLINE)


def test_a_master_hands_its_role_on_before_it_goes(house: House, exports: Path) -> None:
    house.approved(1)
    first, second = house.nfs("nfs-1"), house.nfs("nfs-2", "/exports/more")
    (exports / "exports" / "data").rename(exports / "exports" / str(uuid4()))
    house.domain_until("nfs-1", "inactive")
    masters = {d.id: d.master for d in house.lab.attached(house.center()).list()}
    assert masters == {first.id: False, second.id: True}
    wait(lambda: house.center().status.value, "up".__eq__, DEADLINE)
    assert codes(house, 970, 983, 984) == [984]
