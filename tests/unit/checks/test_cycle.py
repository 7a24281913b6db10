from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.checks import origin
from pytest_ovirt_release.checks.cycle import Cycle
from pytest_ovirt_release.checks.ledger import Ledger, open_entries
from pytest_ovirt_release.checks.node import Result
from pytest_ovirt_release.checks.parts import Parts
from pytest_ovirt_release.checks.stages import StageFailed, judging
from pytest_ovirt_release.checks.waiting import states_seen
from pytest_ovirt_release.errors import Blocked, CheckFailed, Unproven
from pytest_ovirt_release.target.model import Target
from tests.unit.checks.fake_engine import FakeEngine, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_ovirt_release.target.model import NodeTarget

SSH = {"address": "127.0.0.2", "host_key": "ssh-ed25519 AAAA"}
TARGET = Target.model_validate(
    {
        "schema": "ovirt-release-target/1",
        "name": "t",
        "engine": {
            "url": "https://127.0.0.1:4443/ovirt-engine/api",
            "ca_file": "ca.pem",
            "password_env": "PW",
        },
        "nodes": [
            {"name": "node-1", "address": "127.0.0.2", "ssh": SSH, "registered_by": "node", "storage": "nfs"},
            {
                "name": "node-2",
                "address": "127.0.0.3",
                "ssh": SSH,
                "registered_by": "command",
                "storage": "local",
            },
        ],
        "storage": {"nfs": {"address": "127.0.0.1", "path": "/exports/data"}, "local_path": "/data"},
        "deadlines": FakeEngine().deadlines.model_dump(),
    }
)
NODE, BY_COMMAND = TARGET.nodes


class FakeRemote:
    """Answers commands from a table of their first words."""

    name = "node-1"

    def __init__(self, answers: dict[str, str], on: Callable[[Sequence[str]], None]) -> None:
        self.answers = answers
        self.on = on

    def run(self, argv: Sequence[str], deadline: float | None = None) -> Result:
        self.on(argv)
        said = next((text for start, text in self.answers.items() if " ".join(argv).startswith(start)), None)
        return Result(tuple(argv), 1 if said is None else 0, said or "", "", 0.0)


class Run:
    """One process of a run: a cycle over the shared engine, folder and records."""

    def __init__(self, folder: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.engine = engine
        self.records: list[dict[str, Any]] = []
        self.target = TARGET
        self.journal = folder / "journal" / "one.jsonl"
        self.journal.parent.mkdir()
        self.answers = {"cat /etc/vdsm/vdsm.id": "UUID-1\n", "cat /etc/os-release": "oVirt Node"}
        self.commands: list[str] = []
        remote = FakeRemote(self.answers, lambda argv: self.commands.append(" ".join(argv)))
        monkeypatch.setattr(Parts, "remote", lambda *_: nullcontext(remote))
        monkeypatch.setattr(origin, "Remote", lambda *_, **__: nullcontext(remote))
        engine.target = TARGET

    def write(self, kind: str, /, *, sync: bool = False, **fields: object) -> None:
        self.records.append({"kind": kind, "at": f"{len(self.records):06}", **fields})
        with self.journal.open("a") as journal:
            journal.write(json.dumps(self.records[-1]) + "\n")
        if kind == "intent":
            self.engine.calls.append(f"intent {fields['what']}")

    def process(self) -> Cycle:
        ledger = Ledger(self.write, "abcd1234")
        return Cycle(self.target, self.engine, ledger, self.folder, self.write, lambda *_: None)  # type: ignore[arg-type] # the fake

    def open(self) -> list[str]:
        return [e.what for e in open_entries(self.records)]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def run(tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(tmp_path, engine, monkeypatch)


def verdict(requirement: str, node: NodeTarget, act: Callable[[NodeTarget], object]) -> BaseException | None:
    try:
        with judging(requirement, node):
            act(node)
    except (CheckFailed, Unproven) as error:
        return error
    return None


def test_brings_a_node_all_the_way_and_writes_every_intent_first(run: Run, engine: FakeEngine) -> None:
    engine.host()
    state = run.process().storage(NODE)
    assert list(state.stages) == ["registered", "approved", "up", "storage"]
    assert (state.host_id, state.domain_id, state.own_ids) == ("h1", "sd1", ("uuid-1",))
    assert engine.calls == [
        "intent data-center",
        "dc.add rel-abcd1234-nfs",
        "intent cluster",
        "cluster.add rel-abcd1234-nfs",
        "intent host",
        "hosts.mark h1 rel-abcd1234-run",
        "hosts.approve h1 cl-rel-abcd1234-nfs",
        "intent storage-domain",
        "sd.add rel-abcd1234-nfs",
        "sd.attach sd1",
    ]
    assert run.open() == ["storage-domain", "data-center", "host", "cluster"]
    stages = [(r["stage"], r["outcome"]) for r in run.records if r["kind"] == "stage"]
    assert stages == [
        ("registered", "passed"),
        ("approved", "passed"),
        ("up", "passed"),
        ("storage", "passed"),
    ]


def test_a_second_process_reads_what_the_first_did(run: Run, engine: FakeEngine) -> None:
    engine.host()
    first = run.process().storage(NODE)
    before = list(engine.calls)
    assert run.process().storage(NODE) == first
    assert engine.calls == before


def test_a_killed_process_is_continued_where_its_record_ends(run: Run, engine: FakeEngine) -> None:
    engine.host()
    run.process().registered(NODE)
    run.process().approved(NODE)
    (run.folder / "nodes" / "node-1.json.4711").write_text("torn")
    assert run.process().up(NODE).stages["up"].outcome == "passed"
    assert engine.did("hosts.approve") == 1
    assert engine.did("dc.add") == 1


def test_a_host_that_was_there_before_is_never_touched(run: Run, engine: FakeEngine) -> None:
    engine.host(status="up", name="production-7")
    error = verdict("node-approved", NODE, run.process().up)
    assert isinstance(error, Blocked)
    assert "production-7" in str(error)
    assert "remove that host from the engine" in str(error)
    assert engine.calls == []


def test_a_node_that_never_asks_fails_its_own_requirement_and_blocks_the_rest(run: Run) -> None:
    cycle = run.process()
    error = verdict("node-registers", NODE, cycle.registered)
    assert isinstance(error, CheckFailed)
    assert error.code == "node-not-pending"
    # Whoever reads the record later, maybe in another process, can still tell what was seen.
    for process in (cycle, run.process()):
        again = verdict("node-registers", NODE, process.registered)
        assert [seen.partition(" 0.")[0] for seen in states_seen(again)] == ["not known"]
    for requirement, act in (("node-approved", cycle.up), ("vm-on-nfs", cycle.storage)):
        blocked = verdict(requirement, NODE, act)
        assert isinstance(blocked, Blocked)
        assert blocked.on == "node-registers"


def test_registration_by_command_names_engine_address_and_port(run: Run, engine: FakeEngine) -> None:
    run.answers["vdsm-tool register"] = "Registration completed, host is pending approval on Engine: e"
    engine.host(address="127.0.0.3", status="pending_approval", name="rel-abcd1234-node-2")
    state = run.process().registered(BY_COMMAND)
    assert (
        "vdsm-tool register --engine-fqdn 127.0.0.1:4443 --node-address 127.0.0.3 "
        "--node-name rel-abcd1234-node-2 --ssh-user root --ssh-port 22"
    ) in run.commands
    (entry,) = open_entries(run.records)
    assert (entry.what, entry.id) == ("host", state.host_id)


def test_a_registration_command_that_fails_says_what_it_said(run: Run) -> None:
    run.answers["vdsm-tool register"] = "Cannot register the node"
    with pytest.raises(StageFailed, match="Cannot register the node") as caught:
        run.process().registered(BY_COMMAND)
    assert caught.value.code == "register-command-failed"


def test_a_refused_approve_fails_once_and_for_all(run: Run, engine: FakeEngine) -> None:
    engine.host()
    engine.refuse["hosts.approve"] = [refusal("", 400)]
    engine.after["hosts.mark"] = lambda: engine.say(505, "Install packages failed", "h1", "rel-x")
    for _ in range(2):
        error = verdict("node-approved", NODE, run.process().up)
        assert isinstance(error, CheckFailed)
        assert "505 Install packages failed" in str(error)
    assert engine.did("hosts.approve") == 1
    blocked = verdict("vm-on-nfs", NODE, run.process().storage)
    assert isinstance(blocked, Blocked)
    assert blocked.on == "node-approved"


def test_a_host_that_leaves_up_while_storage_is_made_disproves_the_approval(
    run: Run, engine: FakeEngine
) -> None:
    engine.host()
    engine.refuse["sd.add"] = [refusal("Cannot add storage server connection when Host status is not up")]

    def collapse() -> None:
        engine.become("non_operational")
        engine.say(154, "node-1 cannot join", "h1")

    original = engine.storage.list
    engine.storage.list = lambda: (collapse(), original())[1]  # type: ignore[method-assign,func-returns-value] # on purpose
    error = verdict("vm-on-nfs", NODE, run.process().storage)
    assert isinstance(error, Blocked)
    assert error.on == "node-approved"
    failed = verdict("node-approved", NODE, run.process().up)
    assert isinstance(failed, CheckFailed)
    assert failed.code == "host-left-up"
    assert "154 node-1 cannot join" in str(failed)


def test_a_host_that_was_not_up_in_between_did_not_stay_up(run: Run, engine: FakeEngine) -> None:
    engine.host()
    cycle = run.process()
    cycle.storage(NODE)
    engine.say(519, "Host node-1 does not comply", "h1")
    error = verdict("node-approved", NODE, cycle.up)
    assert isinstance(error, CheckFailed)
    assert "519 Host node-1 does not comply" in str(error)


def test_what_happened_to_other_hosts_or_before_up_is_not_held_against_it(
    run: Run, engine: FakeEngine
) -> None:
    engine.host()
    engine.after["hosts.mark"] = lambda: engine.say(12, "Host node-1 is non responsive", "h1")
    cycle = run.process()
    cycle.approved(NODE)
    engine.say(519, "Host other does not comply", "h9")
    assert verdict("node-approved", NODE, cycle.up) is None


def test_storage_that_fails_alone_leaves_the_node_approved(run: Run, engine: FakeEngine) -> None:
    engine.host()
    engine.refuse["sd.add"] = [refusal("Problem while trying to mount target", 400)]
    cycle = run.process()
    error = verdict("vm-on-nfs", NODE, cycle.storage)
    assert isinstance(error, CheckFailed)
    assert "Problem while trying to mount target" in str(error)
    assert verdict("node-approved", NODE, cycle.up) is None
    assert "storage-domain" not in run.open()


def test_an_export_that_is_not_empty_is_let_alone(run: Run, engine: FakeEngine) -> None:
    engine.host()
    run.answers["cat /rhev/data-center/mnt/127.0.0.1:_exports_data/sd1"] = (
        "CLASS=Data\nDESCRIPTION=production\n"
    )
    error = verdict("vm-on-nfs", NODE, run.process().storage)
    assert isinstance(error, Unproven)
    assert not isinstance(error, Blocked)
    assert "not empty" in str(error)
    assert engine.did("sd.forget") == 1
    assert engine.did("sd.format") == 0
    assert "storage-domain" not in run.open()


def test_another_machine_at_the_address_is_noticed(run: Run, engine: FakeEngine) -> None:
    engine.host(uuid="SOMEBODY-ELSE")
    error = verdict("node-approved", NODE, run.process().up)
    assert isinstance(error, CheckFailed)
    assert error.code == "other-machine"


def test_a_local_domain_is_never_attached_by_us(run: Run, engine: FakeEngine) -> None:
    run.answers["vdsm-tool register"] = "host is pending approval"
    engine.host(address="127.0.0.3")
    state = run.process().storage(BY_COMMAND)
    assert engine.did("sd.attach") == 0
    assert state.stages["storage"].outcome == "passed"
    data = json.loads((run.folder / "nodes" / "node-2.json").read_text())
    assert data["domain_id"] == "sd1"


@pytest.mark.parametrize(
    "changes",
    [{"comment": "rel-99999999-run", "status": "up"}, {"name": "rel-99999999-node-1"}],
    ids=["at work", "just registered"],
)
def test_a_node_that_another_run_works_with_is_not_touched(
    engine: FakeEngine, run: Run, changes: dict[str, str]
) -> None:
    engine.host(**changes)
    error = verdict("node-registers", NODE, run.process().registered)
    assert isinstance(error, Blocked)
    assert "belongs to run 99999999" in str(error)
    assert "ovirt-release reap" in str(error)
    assert run.commands == []
    assert run.open() == []
    assert engine.did("hosts.mark") == 0


def test_the_later_of_two_runs_that_mark_a_node_at_once_has_it(engine: FakeEngine, run: Run) -> None:
    engine.host()
    original = engine.hosts.mark

    def mark(host_id: str, comment: str) -> None:
        original(host_id, comment)
        engine.host(comment="rel-99999999-run")

    engine.hosts.mark = mark  # type: ignore[method-assign] # the other one, an instant later
    error = verdict("node-approved", NODE, run.process().approved)
    assert isinstance(error, Blocked)
    assert "belongs to run 99999999" in str(error)
    assert engine.did("hosts.approve") == 0
    assert "host" not in run.open()
