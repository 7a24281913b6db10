"""A worker ends with its controller, and its run lives as long as the worker does.

Under xdist a worker whose controller was killed goes on with its test. Whoever then reaps the run would remove
objects under its hands, and miss those that it makes afterwards.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from pathlib import Path

TICK = 0.2
GRACE_SECONDS = 5.0
"""How long an orphan may take to come to an end by itself; it makes nothing new in that time."""


def worker_lock(folder: Path, worker: str) -> FileLock:
    """Return the lock that a worker holds as long as it lives; the kernel lets go of it even after kill -9."""
    return FileLock(folder / f"worker-{worker}.lock")


def worker_locks(folder: Path) -> list[FileLock]:
    """Return the locks of every worker that a run has had."""
    return [FileLock(path) for path in sorted(folder.glob("worker-*.lock"))]


def end_with_parent() -> None:
    """Let this process be interrupted, and in the end killed, when its parent is gone."""
    threading.Thread(target=_watch, args=(os.getppid(),), name="end-with-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(TICK)
    # As Ctrl-C does: the stop flag ends waits and requests, the main thread raises KeyboardInterrupt.
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
