"""Which worker gets which tests: those of one node stay together, so that two nodes are at work at once.

By xdist's own choice both smoke tests go to one worker, which brings up one node after the other while the second
worker waits for their locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytest

    from pytest_ovirt_release.target.model import NodeTarget

SMOKE = "vm-on-"


def scope_of(nodeid: str, requirements: Mapping[str, str], nodes: Sequence[NodeTarget]) -> str:
    """Return what keeps tests together: the node that a test works with, else the test itself.

    `requirements`: what each test of the suite is marked for, by its id without parameters.
    """
    test, bracket, parameters = nodeid.partition("[")
    wanted = requirements.get(test, "")
    for node in nodes:
        if bracket and parameters.removesuffix("]") == node.name:
            return f"node {node.name}"
    serving = next((n for n in nodes if wanted == f"{SMOKE}{n.storage}"), None)
    return nodeid if serving is None else f"node {serving.name}"


class ByNode(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Hands out the tests of one node as one piece of work, largest pieces first, all others one by one."""

    def __init__(self, config: pytest.Config, log: Any, scope: Callable[[str], str]) -> None:  # noqa: ANN401 - xdist's
        """Take what xdist gives, and the scope of a test."""
        super().__init__(config, log)
        self._scope = scope

    def _split_scope(self, nodeid: str) -> str:
        return self._scope(nodeid)
