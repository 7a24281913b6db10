"""A target with one node for both kinds of storage: it goes one after the other, says so, and leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from pytest_ovirt_release.target.lab_process import LabProcess, start_lab
from pytest_ovirt_release.target.loading import load_target
from tests.chaos.ground import everything
from tests.lab.conftest import LIVE, PAGE, Suite

pytestmark = pytest.mark.long


@pytest.fixture
def lab() -> Iterator[LabProcess]:
    lab = start_lab(PAGE, "20", ())
    yield lab
    lab.stop(Path("/dev/null"))


def test_one_node_serves_both_kinds_of_storage_one_after_the_other(
    suite: Suite, lab: LabProcess, tmp_path: Path
) -> None:
    before = everything(lab.folder)
    data = load_target(lab.target).model_dump(mode="json", by_alias=True, exclude_none=True)
    # The one that is registered by a command: nothing of it is there before, nor afterwards.
    data["nodes"] = [data["nodes"][1] | {"storage": "both"}]
    file = tmp_path / "target.toml"
    file.write_text(tomli_w.dumps(data))
    finished = suite.run(
        "--release-target", str(file), *LIVE, "-n", "2", "acceptance/test_smoke.py", "acceptance/test_node.py"
    )
    states = finished.states()
    cells = ("vm-on-nfs", "vm-on-local", "node-registers", "node-approved", "node-runs-vm")
    found = {cell: state for cell, state in states.items() if cell.partition("[")[0] in cells}
    assert set(found.values()) == {"passed"}, finished.details() + finished.output[-3000:]
    assert len(found) == len(cells)
    said = [r["detail"] for r in finished.verdict["remarks"] if r["code"] == "one-after-the-other"]
    assert len(said) == 1
    assert "node-2 is the target's only node" in said[0]
    assert "one after the other" in " ".join(finished.output.split())
    moves = [e for e in stages(finished.folder) if e == "storage"]
    assert len(moves) == 2
    assert {s for s in everything(lab.folder) ^ before if s[0] != "hosts"} == set()
    assert not [s for s in everything(lab.folder) if s[0] == "hosts" and "127.0.0.3" in s]


def stages(folder: Path) -> list[str]:
    """Return the stages that were performed, by whichever process."""
    lines = [line for path in (folder / "journal").glob("*.jsonl") for line in path.read_text().splitlines()]
    return [record["stage"] for record in map(json.loads, lines) if record["kind"] == "stage"]
