from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock, Timeout

if TYPE_CHECKING:
    from pathlib import Path

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]])
sys.stdin.read()
"""
WORKER = """
import signal, sys, time
from pathlib import Path
from pytest_ovirt_release.record import orphans
folder = Path(sys.argv[1])
{handler}
orphans.GRACE_SECONDS = 0.5
with orphans.worker_lock(folder, "gw0"):
    orphans.end_with_parent()
    (folder / "ready").touch()
    while True:
        try:
            time.sleep(60)
        except BaseException as error:
            (folder / "ended").write_text(type(error).__name__)
            {then}
"""
OBEYS = WORKER.format(handler="signal.signal(signal.SIGTERM, signal.default_int_handler)", then="raise")
STUBBORN = WORKER.format(handler="signal.signal(signal.SIGTERM, signal.default_int_handler)", then="pass")


@pytest.mark.parametrize("worker", [OBEYS, STUBBORN], ids=["obeys", "stubborn"])
def test_a_worker_ends_with_its_parent_and_lets_go_of_its_lock(tmp_path: Path, worker: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, worker, str(tmp_path)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 30
    while not (tmp_path / "ready").exists() and time.monotonic() < end:
        time.sleep(0.05)
    lock = FileLock(tmp_path / "worker-gw0.lock")
    with pytest.raises(Timeout):
        lock.acquire(timeout=0.5)
    parent.kill()
    parent.wait(10)
    with lock.acquire(timeout=20):
        assert (tmp_path / "ended").read_text() == "KeyboardInterrupt"
    if parent.stdin is not None:
        parent.stdin.close()
