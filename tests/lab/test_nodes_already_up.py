"""The usual test-day engine: its node is up already. The smoke test may use it, and leaves it as it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from pytest_ovirt_release.checks.engine import Engine, Host
from pytest_ovirt_release.target.lab_process import LabProcess, start_lab
from pytest_ovirt_release.target.loading import load_target
from pytest_ovirt_release.target.model import Target
from tests.lab.conftest import LIVE, PAGE, Suite

pytestmark = pytest.mark.long

SMOKE = "acceptance/test_smoke.py"
NODES = "acceptance/test_node.py"


@pytest.fixture
def lab() -> Iterator[LabProcess]:
    lab = start_lab(PAGE, "20", ())
    yield lab
    lab.stop(Path("/dev/null"))


def approve(target: Target) -> Host:
    """Approve node-1, which asks by itself, into the engine's first cluster, as its owner would have."""
    node = target.nodes[0]
    with Engine(target, "owner", lambda *_: None) as engine:
        host = host_of(engine, node.address, "pending_approval")
        cluster_id = engine.hosts.find_cluster("Default")
        assert cluster_id is not None
        engine.hosts.approve(host.id, cluster_id)
        return host_of(engine, node.address, "up")


def host_of(engine: Engine, address: str, status: str) -> Host:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        host = engine.hosts.by_address(address)
        if host is not None and host.status == status:
            return host
        time.sleep(0.1)
    raise AssertionError(f"no host at {address} became {status}")


@pytest.mark.parametrize(
    ("storage", "may_move"), [("nfs", False), ("local", False), ("local", True), ("both", True)]
)
def test_a_node_that_is_up_serves_smoke_tests_and_stays_where_it_was(
    suite: Suite, lab: LabProcess, tmp_path: Path, storage: str, *, may_move: bool
) -> None:
    target = load_target(lab.target)
    before = approve(target)
    data = target.model_dump(mode="json", by_alias=True, exclude_none=True)
    data["nodes"] = [data["nodes"][0] | {"storage": storage, "may_move": may_move}]
    file = tmp_path / "target.toml"
    file.write_text(tomli_w.dumps(data))
    finished = suite.run("--release-target", str(file), *LIVE, SMOKE, NODES)
    states = finished.states()
    allowed = storage == "nfs" or may_move
    kinds = ("nfs", "local") if storage == "both" else (storage,)
    assert {states[f"vm-on-{kind}"] for kind in kinds} == {"passed" if allowed else "blocked"}, (
        finished.details()
    )
    assert {states[f"{r}[node-1]"] for r in ("node-registers", "node-approved", "node-runs-vm")} == {
        "blocked"
    }
    assert "the engine already knows 127.0.0.2" in finished.details()
    if not allowed:
        assert "may_move = true" in finished.details()
    with Engine(target, "owner", lambda *_: None) as engine:
        after = engine.hosts.get(before.id)
        assert after == before
        events = [str(e) for e in engine.events.since(0) if e.host_id == before.id]
        assert any("Maintenance" in text for text in events) == ("local" in kinds and may_move)
        assert [d.name for d in engine.storage.list() if d.name.startswith("rel-")] == []
        assert (
            engine.hosts.find_cluster(f"rel-{finished.folder.name.rpartition('-')[2]}-local-node-1") is None
        )
