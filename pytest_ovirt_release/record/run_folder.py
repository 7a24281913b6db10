"""The folder of one run: `reports/<UTC time>-<run id>/`, with `reports/latest` pointing at the newest."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.record.orphans import worker_locks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

LOCK_SECONDS = 1.0
"""How long a run that is just ending may still hold its lock."""

ORPHAN_SECONDS = 15.0
"""How long workers may take to end once their controller is gone."""


@dataclass(frozen=True)
class RunFolder:
    """Where one run is recorded; `id` also stands in the name of every object that the run makes."""

    path: Path
    id: str

    def lock(self) -> FileLock:
        """Return the lock that is held as long as the run lives."""
        return FileLock(self.path / "run.lock")


@contextmanager
def not_running(folder: Path) -> Iterator[None]:
    """Hold the lock of a run that has ended; ReleaseError when it is still alive."""
    if not (folder / "journal").is_dir():
        raise ReleaseError(
            f"{folder} is not a run: it has no folder `journal`; runs are folders like reports/latest"
        )
    with ExitStack() as held:
        for lock, seconds in (
            (FileLock(folder / "run.lock"), LOCK_SECONDS),
            *((lock, ORPHAN_SECONDS) for lock in worker_locks(folder)),
        ):
            try:
                held.enter_context(lock.acquire(timeout=seconds))
            except Timeout as error:
                raise ReleaseError(
                    f"run {folder.name} is still alive (its lock {Path(lock.lock_file).name} is held); wait for its "
                    "end, or end it"
                ) from error
        yield


def create(reports: Path, now: datetime) -> RunFolder:
    """Make the folder of a new run and let `latest` point at it; ReleaseError if that is impossible."""
    run_id = secrets.token_hex(4)
    path = reports / f"{now:%Y%m%dT%H%M%SZ}-{run_id}"
    try:
        (path / "journal").mkdir(parents=True)
        (path / "evidence").mkdir()
        new = reports / f".latest-{run_id}"
        new.symlink_to(path.name)
        new.replace(reports / "latest")
    except OSError as error:
        raise ReleaseError(
            f"cannot record this run in {reports}: {error.strerror} ({error.filename}); "
            "free some space or name another folder by the ini key release_reports"
        ) from error
    return RunFolder(path, run_id)


def copy_in(folder: Path, name: str, data: bytes) -> None:
    """Write one input's copy into the run folder, readable by its owner only."""
    fd = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
