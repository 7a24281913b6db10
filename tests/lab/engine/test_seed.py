"""Two engines of one seed that are asked the same give the same ids and write the same log."""

from __future__ import annotations

import re
from pathlib import Path

from ovirtsdk4 import types

from pytest_ovirt_release.lab.ids import Ids
from pytest_ovirt_release.lab.node.verbs import VmStats
from tests.lab.engine.fakes import Bench, FakePki, wait
from tests.lab.engine.flows import Lab

MOMENT = re.compile(r"\d{14}")
"""A log file of the engine has the time in its name."""

Line = tuple[int, str, str | None, tuple[tuple[str, str, str], ...]]


def a_day(folder: Path, pki: FakePki, seed: int) -> list[Line]:
    """Bring a host, a domain and a VM to life and to their end; return what the log then says."""
    folder.mkdir()
    bench = Bench(folder, pki, seed=seed)
    lab = Lab(bench)
    try:
        center, host, domain = lab.ready()
        wait(lab.host(host.id).get, lambda seen: seen.spm.status == types.SpmStatus.SPM)
        attached = lab.attached(center).storage_domain_service(domain.id)
        wait(attached.get, lambda seen: seen.status == types.StorageDomainStatus.ACTIVE)
        vm = lab.vm(host)
        wait(lab.codes, lambda codes: 53 in codes)
        lab.disk(vm, domain)
        wait(lab.codes, lambda codes: 97 in codes)
        lab.vm_service(vm).start()
        bench.nodes["127.0.0.2"].stats[vm.id] = VmStats("Up")
        wait(lab.vm_service(vm).get, lambda seen: seen.status == types.VmStatus.UP)
        lab.vm_service(vm).stop()
        wait(lab.vm_service(vm).get, lambda seen: seen.status == types.VmStatus.DOWN)
        lab.vm_service(vm).remove()
        wait(lab.codes, lambda codes: 113 in codes)
    finally:
        lab.close()
        events = list(bench.engine.core.events.events)
        bench.close()
    return [
        (e.code, MOMENT.sub("", e.description).replace(str(folder), ""), e.correlation, e.references)
        for e in events
    ]


def test_the_same_seed_gives_the_same_event_log(tmp_path: Path, pki: FakePki) -> None:
    first = a_day(tmp_path / "first", pki, 7)
    assert len(first) > 20
    assert a_day(tmp_path / "again", pki, 7) == first


def test_another_seed_gives_other_ids_and_the_same_texts(tmp_path: Path, pki: FakePki) -> None:
    first, other = a_day(tmp_path / "first", pki, 7), a_day(tmp_path / "other", pki, 8)
    session = re.compile(r"session '[^']*'")
    assert [(code, session.sub("", text)) for code, text, _, _ in first] == [
        (code, session.sub("", text)) for code, text, _, _ in other
    ]
    ids = {id_ for _, _, _, references in first for _, id_, _ in references if id_}
    assert not ids & {id_ for _, _, _, references in other for _, id_, _ in references if id_} - {
        "00000000-0000-0000-0000-000000000000"
    }


def test_ids_do_not_depend_on_what_else_was_made() -> None:

    one, two = Ids(1), Ids(1)
    one.uuid("disk")
    assert one.uuid("vm") == two.uuid("vm")
    assert one.uuid("vm") != one.uuid("vm")
    assert Ids(2).uuid("vm") != two.uuid("vm")
