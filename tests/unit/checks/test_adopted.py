"""A node that is up already: used where it stands, moved only when allowed, and always brought back."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ovirt_release.checks.engine.facts import Standing
from pytest_ovirt_release.checks.ledger import Ledger, open_entries
from pytest_ovirt_release.checks.removal import remove_all
from pytest_ovirt_release.errors import Blocked
from tests.unit.checks.fake_engine import FakeEngine, refusal
from tests.unit.checks.test_cycle import BY_COMMAND, NODE, Run, verdict

TOUCHED = ("hosts.deactivate", "hosts.activate", "hosts.move", "hosts.remove", "hosts.approve", "hosts.mark")
MAY_MOVE = BY_COMMAND.model_copy(update={"may_move": True})


@pytest.fixture
def engine() -> FakeEngine:
    made = FakeEngine()
    made.host(status="up", cluster_id="theirs", name="their-node")
    made.host(id="h2", address=BY_COMMAND.address, status="up", cluster_id="theirs", name="their-other")
    made.data_centers["their-dc"] = "Default"
    made.standing["theirs"] = Standing("their-dc", "Default", is_local=False)
    return made


@pytest.fixture
def run(tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(tmp_path, engine, monkeypatch)


def touched(engine: FakeEngine) -> list[str]:
    return [call for call in engine.calls if call.split()[0] in TOUCHED]


def clean_up(run: Run, engine: FakeEngine) -> list[str]:
    left = remove_all(engine, Ledger(run.write, "abcd1234"), open_entries(run.records))  # type: ignore[arg-type] # the fake
    return [str(entry) for entry in left]


def test_a_smoke_test_uses_it_where_it_stands_and_its_own_cells_are_blocked(
    run: Run, engine: FakeEngine
) -> None:
    cycle = run.process()
    state = cycle.serving(NODE)
    assert (state.host_id, state.cluster_id, state.data_center_id) == ("h1", "theirs", "their-dc")
    assert engine.attached == {"sd1": "active"}
    for requirement, act in (("node-registers", cycle.registered), ("node-approved", cycle.up)):
        blocked = verdict(requirement, NODE, act)
        assert isinstance(blocked, Blocked)
        assert "already knows 127.0.0.2 as host their-node, up" in str(blocked)
    assert cycle.serving(NODE).domain_id == "sd1"
    assert clean_up(run, engine) == []
    assert engine.domains == {}
    assert touched(engine) == []


def test_the_order_of_tests_changes_nothing(run: Run, engine: FakeEngine) -> None:
    assert isinstance(verdict("node-registers", NODE, run.process().registered), Blocked)
    assert run.process().serving(NODE).host_id == "h1"
    assert engine.did("sd.add") == 1


def test_local_storage_in_a_shared_data_center_is_blocked_and_nothing_is_moved(
    run: Run, engine: FakeEngine
) -> None:
    for _ in range(2):
        blocked = verdict("vm-on-local", BY_COMMAND, run.process().serving)
        assert isinstance(blocked, Blocked)
        assert blocked.on == "vm-on-local"
        assert "may_move = true" in str(blocked)
    assert touched(engine) == []
    assert run.open() == []


def test_local_storage_in_its_own_local_data_center_needs_no_move(run: Run, engine: FakeEngine) -> None:
    engine.standing["theirs"] = Standing("their-dc", "room-local", is_local=True)
    state = run.process().serving(BY_COMMAND)
    assert state.data_center_id == "their-dc"
    assert touched(engine) == []


def test_a_host_that_may_be_moved_is_brought_back(run: Run, engine: FakeEngine) -> None:
    state = run.process().serving(MAY_MOVE)
    assert state.cluster_id == engine.host_by_id["h2"].cluster_id == "cl-rel-abcd1234-local-node-2"
    assert "moved-host" in run.open()
    engine.after["sd.detach"] = engine.domains.clear  # as an engine does with local storage
    intent = engine.calls.index("intent moved-host")
    assert intent < engine.calls.index("hosts.deactivate h2"), "where it belongs is written down first"
    assert clean_up(run, engine) == []
    back = engine.host_by_id["h2"]
    assert (back.cluster_id, back.status) == ("theirs", "up")
    assert (engine.data_centers, engine.clusters, engine.domains) == ({"their-dc": "Default"}, {}, {})
    assert engine.did("hosts.remove") == 0


@pytest.mark.parametrize("call", ["hosts.deactivate", "hosts.move", "hosts.activate", "sd.add"])
def test_wherever_a_move_breaks_off_the_host_goes_back(run: Run, engine: FakeEngine, call: str) -> None:
    engine.refuse[call] = [refusal("no")]
    assert verdict("vm-on-local", MAY_MOVE, run.process().serving) is not None
    assert clean_up(run, engine) == []
    back = engine.host_by_id["h2"]
    assert (back.cluster_id, back.status) == ("theirs", "up")
    assert engine.clusters == {}


def test_a_host_that_is_not_up_is_left_alone(run: Run, engine: FakeEngine) -> None:
    engine.become("maintenance")
    blocked = verdict("vm-on-nfs", NODE, run.process().serving)
    assert isinstance(blocked, Blocked)
    assert touched(engine) == []


def test_a_node_is_approved_into_the_cluster_that_the_target_names(run: Run, engine: FakeEngine) -> None:
    engine.host()
    engine.clusters["theirs"] = "Default"
    state = run.process().storage(NODE.model_copy(update={"cluster": "Default"}))
    assert (state.cluster_id, state.data_center_id) == ("theirs", "their-dc")
    assert clean_up(run, engine) == []
    assert (engine.clusters, engine.data_centers) == ({"theirs": "Default"}, {"their-dc": "Default"})


@pytest.mark.parametrize(
    ("name", "words"), [("none", "the engine has no cluster none"), ("local", "not one for nfs storage")]
)
def test_a_cluster_that_does_not_fit_blocks_the_approval(
    run: Run, engine: FakeEngine, name: str, words: str
) -> None:
    engine.host()
    engine.clusters["l"] = "local"
    engine.standing["l"] = Standing("l-dc", "room-local", is_local=True)
    node = NODE.model_copy(update={"cluster": name})
    blocked = verdict("node-approved", node, run.process().approved)
    assert isinstance(blocked, Blocked)
    assert blocked.on == "node-approved"
    assert words in str(blocked)
    assert engine.did("hosts.approve") == 0
