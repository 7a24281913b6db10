"""A pytest plugin that notes requests to the engine and locks: `-p bench.cycle_watch`, CYCLE_NOTES names a folder."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.engine.session import BoundedConnection
from pytest_ovirt_release.checks.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    Note = Callable[[str, str, float], None]


def pytest_configure(config: pytest.Config) -> None:
    """Note what this process does, one JSON list a line: method and path, or LOCK and HELD with a name; its times."""
    role = config.workerinput["workerid"] if hasattr(config, "workerinput") else "controller"
    folder, main = Path(os.environ["CYCLE_NOTES"]), threading.get_ident()

    def note(what: str, name: str, began: float) -> None:
        thread = threading.get_ident()  # removal has several: each asks and waits for itself
        name_of_file = f"{role}.jsonl" if thread == main else f"{role}-{thread}.jsonl"
        with (folder / name_of_file).open("a") as notes:
            notes.write(json.dumps([what, name, began, time.monotonic()]) + "\n")

    _watch_engine(note)
    _watch_locks(note)


def _watch_locks(note: Note) -> None:
    real = Parts.locked

    @contextmanager
    def locked(self: Parts, name: str) -> Iterator[None]:
        began = time.monotonic()
        with real(self, name):
            note("LOCK", name, began)
            got = time.monotonic()
            try:
                yield
            finally:
                note("HELD", name, got)

    Parts.locked = locked  # type: ignore[method-assign] # for one process


def _watch_engine(note: Note) -> None:
    going: dict[int, tuple[str, str, float]] = {}
    real_send, real_wait = BoundedConnection.send, BoundedConnection.wait

    def send(self: BoundedConnection, request: Any) -> Any:  # noqa: ANN401 - the SDK has no types
        began = time.monotonic()
        context = real_send(self, request)
        query = "" if request.query is None else json.dumps(sorted(request.query.items()))
        going[id(context[0])] = (request.method, request.path + query, began)
        return context

    def wait(self: BoundedConnection, context: Any, failed_auth: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - same
        method, where, began = going.pop(id(context[0]), ("GET", "", time.monotonic()))
        try:
            return real_wait(self, context, failed_auth)
        finally:
            note(method, where, began)

    BoundedConnection.send, BoundedConnection.wait = send, wait  # type: ignore[method-assign] # same
