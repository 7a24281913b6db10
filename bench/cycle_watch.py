"""A pytest plugin that notes every request to the engine: `-p bench.cycle_watch`, with CYCLE_NOTES naming a folder."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.engine.session import BoundedConnection

if TYPE_CHECKING:
    import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Note method, path, begin and end of each request of this process, one JSON list a line."""
    role = config.workerinput["workerid"] if hasattr(config, "workerinput") else "controller"
    path = Path(os.environ["CYCLE_NOTES"], f"{role}.jsonl")
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
            with path.open("a") as notes:
                notes.write(json.dumps([method, where, began, time.monotonic()]) + "\n")

    BoundedConnection.send, BoundedConnection.wait = send, wait  # type: ignore[method-assign] # for one process
