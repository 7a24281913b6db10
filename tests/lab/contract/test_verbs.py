"""A node of the lab is asked, and answers, as the hosts behind a real engine were and did."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pytest_ovirt_release.lab.engine import vdsbroker
from pytest_ovirt_release.lab.engine.vdsbroker import VdsBroker
from pytest_ovirt_release.lab.node.verbs import (
    Connection,
    DomainInfo,
    Params,
    VdsmError,
    VmDisk,
    VmSpec,
    Volume,
)
from tests.lab.contract.derive_verbs import derive, elements, load, merged
from tests.lab.contract.test_facts import CAPTURE
from tests.lab.contract.verbs import LEFT_OUT, NOT_IN_LAB
from tests.lab.node.conftest import StartNode
from tests.lab.node.conftest import pki as pki  # noqa: PLC0414 - a fixture
from tests.lab.node.conftest import start_node as start_node  # noqa: PLC0414 - a fixture
from tests.lab.node.conftest import tester_key as tester_key  # noqa: PLC0414 - a fixture

FACTS = load()
NFS = Connection("c", "nfs", "/exports/data", "127.0.0.1")


class Tapped:
    """A node's vdsm on a line that carries nothing but JSON, and on which somebody listens."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.asked: dict[str, list[dict[str, Any]]] = {}
        self.told: dict[str, list[Any]] = {}

    @property
    def beating(self) -> bool:
        return bool(self.node.vdsm.beating)

    async def call(self, method: str, params: Params) -> Any:
        sent = json.loads(json.dumps(params))
        assert sent == params, f"{method} was asked with what is no JSON"
        self.asked.setdefault(method, []).append(sent)
        answer = await self.node.vdsm.call(method, sent)
        assert json.loads(json.dumps(answer)) == answer, f"{method} answered what is no JSON"
        self.told.setdefault(method, []).append(answer)
        return answer


@pytest.fixture
def line(start_node: StartNode) -> Tapped:
    """Everything the engine's commands can ask of a node, asked once of a real one."""

    async def go() -> Tapped:
        async with start_node() as node:
            tapped = Tapped(node)
            await use(VdsBroker(node.address, tapped, node._clock, node.image_port), tapped)
            return tapped

    return asyncio.run(go())


async def use(host: VdsBroker, tapped: Tapped) -> None:
    volume = Volume(str(uuid4()), str(uuid4()), str(uuid4()))
    vm = VmSpec(
        str(uuid4()), "guest", 64 << 20, "bios", "q35", ("hd",), (VmDisk(volume, "virtio", bootable=True),)
    )
    await host.host_get_capabilities()
    await host.connect_storage_server(NFS)
    await host.create_storage_domain(NFS, DomainInfo(volume.domain_id, "nfs1", "data"))
    assert [domain.name for domain in await host.get_storage_domains(NFS)] == ["nfs1"]
    assert (await host.get_storage_domain_stats(volume.domain_id)).free > 0
    await host.create_volume(volume, 1 << 20, "disk")
    with pytest.raises(VdsmError, match="212"):
        await host.create_volume(volume, 1 << 20, "disk")
    (image,) = await host.get_images(volume.domain_id)
    assert (image.volume, image.size, image.name) == (volume, 1 << 20, "disk")
    await host.add_image_ticket(ticket := str(uuid4()), volume, 1 << 20, "read")
    await host.remove_image_ticket(ticket)
    await host.create_vm(vm)
    assert (await host.get_vm_stats(vm.id)).status == "WaitForLaunch"
    broken = replace(
        vm, id=str(uuid4()), disks=(VmDisk(replace(volume, image_id=str(uuid4())), "sata", bootable=True),)
    )
    await host.create_vm(broken)
    assert (await host.get_vm_stats(broken.id)).exit_code == 1
    await host.reboot_vm(vm.id)
    with pytest.raises(VdsmError, match="does not exist or is not available"):
        await host.hibernate_vm(vm.id)
    await host.shutdown_vm(vm.id)
    await host.destroy_vm(vm.id)
    with pytest.raises(VdsmError, match="does not exist"):
        await host.get_vm_stats(vm.id)
    assert (await host.get_stats()).domains == {volume.domain_id: 0}
    await host.delete_image(volume.domain_id, volume.image_id)
    await host.format_storage_domain(volume.domain_id)
    await host.disconnect_storage_server(NFS)
    # What a node answers beyond what the lab's engine asks.
    await tapped.call("Host.ping2", {})
    tapped.asked["Task.getStatus"] = [{"taskID": ""}]


def called() -> set[str]:
    """Return the verbs that the engine's broker calls, read from its source."""
    tree = ast.parse(Path(vdsbroker.__file__).read_text(encoding="utf-8"))
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_call"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_every_verb_of_the_lab_is_one_of_vdsms_and_was_tried(line: Tapped) -> None:
    assert called() <= set(line.asked)
    assert set(line.node.vdsm.verbs) == set(line.asked) - set(NOT_IN_LAB)
    assert set(line.asked) <= set(FACTS)


def test_what_the_recordings_have_and_the_lab_has_not_is_listed(line: Tapped) -> None:
    assert set(FACTS) - set(line.node.vdsm.verbs) == set(NOT_IN_LAB)
    assert all(NOT_IN_LAB.values())


def test_the_engine_asks_with_vdsms_arguments(line: Tapped) -> None:
    wrong = []
    for verb, calls in line.asked.items():
        facts = {place.rstrip("?"): kind for place, kind in FACTS[verb]["arguments"].items()}
        optional = tuple(place.rstrip("?") for place in FACTS[verb]["arguments"] if place.endswith("?"))
        needed = {place for place in facts if not place.startswith(optional)}
        for call in calls:
            sent = merged([call])
            sent.pop("", None)
            wrong += [
                f"{verb} sends {place}: {kind}" for place, kind in sent.items() if facts.get(place) != kind
            ]
            wrong += [f"{verb} does not send {place}" for place in needed - set(sent)]
    assert not wrong


def below(place: str, name: str) -> bool:
    """Return whether an element is the named one or a part of it."""
    return place == name or place.startswith((f"{name}.", f"{name}["))


def left_out(verb: str, place: str) -> bool:
    """Return whether the lab may leave an element out."""
    return any(
        verb in verbs.split() and below(place.removeprefix("[]."), name)
        for verbs, names, _ in LEFT_OUT
        for name in names.split()
    )


def untold(verb: str, told: dict[str, str]) -> Iterator[str]:
    """Yield the elements of a recorded answer that the lab's has not; what hangs below one that is empty is excused."""
    for place in FACTS[verb]["answer"]:
        if place not in told and not left_out(verb, place):
            yield place


def test_a_node_answers_with_vdsms_elements_and_types(line: Tapped) -> None:
    wrong = []
    for verb, answers in line.told.items():
        facts, told = FACTS[verb]["answer"], merged(answers)
        inside = re.compile(r"info\..*")  # Image.prepare: nobody reads it
        wrong += [
            f"{verb} answers {place}: {kind}, not {facts.get(place)}"
            for place, kind in told.items()
            if not set(kind.split("|")) <= set(facts.get(place, "").split("|"))
            and not inside.fullmatch(place)
        ]
        wrong += [f"{verb} does not tell {place}" for place in untold(verb, told)]
    assert not wrong, "\n".join(wrong)


def test_a_verb_that_nobody_knows_and_a_missing_argument_have_vdsms_codes(start_node: StartNode) -> None:
    async def go() -> None:
        async with start_node() as node:
            with pytest.raises(VdsmError, match="-32601"):
                await node.vdsm.call("Host.getNothing", {})
            with pytest.raises(VdsmError, match="-32602"):
                await node.vdsm.call("VM.destroy", {})
            with pytest.raises(VdsmError, match="401"):
                await node.vdsm.call("Task.getStatus", {"taskID": str(uuid4())})

    asyncio.run(go())


def test_things_are_told_from_names() -> None:
    assert dict(elements({"nics": {"eth0": {"mtu": 1}}, "cpus": [1]})) == {
        "": "object",
        "nics": "object",
        "nics.*": "object",
        "nics.*.mtu": "int",
        "cpus": "list",
        "cpus[]": "int",
    }


@pytest.mark.skipif(not CAPTURE.is_dir(), reason="the raw recordings are not part of the project")
def test_the_table_is_what_the_recordings_give() -> None:
    assert derive(CAPTURE / "vdsm") == FACTS
