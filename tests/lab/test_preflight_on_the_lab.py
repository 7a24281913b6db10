"""What preflight finds wrong blocks what needs it, with its sentence, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.target.lab_process import LabProcess, start_lab
from pytest_ovirt_release.target.loading import load_target
from tests.lab.conftest import LIVE, PAGE, Suite

LIVE_PAGE = PAGE.with_name("ovirt-4.5.toml")


@pytest.fixture
def lab() -> Iterator[LabProcess]:
    lab = start_lab(PAGE, "20", ())
    yield lab
    lab.stop(Path("/dev/null"))


def test_a_node_that_lets_nobody_in_blocks_its_own_cells_only(
    suite: Suite, lab: LabProcess, tmp_path: Path
) -> None:
    data = load_target(lab.target).model_dump(mode="json", by_alias=True, exclude_none=True)
    data["nodes"][1]["ssh"]["host_key"] = data["nodes"][0]["ssh"]["host_key"]
    file = tmp_path / "target.toml"
    file.write_text(tomli_w.dumps(data))
    finished = suite.run(
        "--release-target", str(file), *LIVE, "acceptance/test_smoke.py", "acceptance/test_node.py"
    )
    cells = ("node-registers", "node-approved", "node-runs-vm")
    states = finished.states()
    blocked = {states["vm-on-local"], *(states[f"{cell}[node-2]"] for cell in cells)}
    passed = {states["vm-on-nfs"], *(states[f"{cell}[node-1]"] for cell in cells)}
    assert (blocked, passed) == ({"blocked"}, {"passed"}), finished.details()
    assert "preflight: node node-2 SSH: " in finished.details()
    assert "shows the host key" in finished.details()


def test_another_engine_than_the_candidate_s_blocks_what_is_tested_on_it(
    suite: Suite, lab: LabProcess, tmp_path: Path
) -> None:
    page, data = (
        load_page(LIVE_PAGE),
        load_target(lab.target).model_dump(mode="json", by_alias=True, exclude_none=True),
    )
    candidate = {
        "schema": "ovirt-release-candidate/1",
        "page": page.id,
        "version": "4.5.7",
        "created": "2026-01-01T00:00:00Z",
        "components": [
            {
                "name": c.name,
                "version": "4.5.7",
                "tag": c.tag.format(version="4.5.7", name=c.name),
                "commit": "0" * 40,
            }
            for c in page.components
        ],
    }
    (tmp_path / "candidate.toml").write_text(tomli_w.dumps(candidate))
    del data["page_overlay"]
    file = tmp_path / "target.toml"
    file.write_text(tomli_w.dumps(data | {"candidate": "candidate.toml"}))
    finished = suite.run(
        "--release-target", str(file), *LIVE, "acceptance/test_node.py", "acceptance/test_install.py"
    )
    states = finished.states()
    assert {states[f"node-registers[{n}]"] for n in ("node-1", "node-2")} == {"blocked"}, finished.details()
    assert "engine version: 4.5.8-1.el9 is installed, but the candidate is 4.5.7" in finished.details()
    assert states["easy-installation"] != "blocked", finished.details()
