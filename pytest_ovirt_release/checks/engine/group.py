"""What every group of operations has: the call, correlation ids, and 404 read as "not there"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pytest_ovirt_release.checks.engine.errors import EngineFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_ovirt_release.target.model import Deadlines


class Call(Protocol):
    """`Session.call`, once the engine was recognised."""

    def __call__(
        self,
        request: str,
        ask: Callable[[Any], Any],
        *,
        seconds: float | None = None,
        correlation: str | None = None,
    ) -> Any:  # noqa: ANN401 - SDK types stay inside this package
        """Ask the engine."""


class Group:
    """A group of operations."""

    def __init__(self, call: Call, correlation: Callable[[str], str], deadlines: Deadlines) -> None:
        """Take the session's call, a maker of correlation ids and the target's deadlines."""
        self._call = call
        self._correlation = correlation
        self._deadlines = deadlines

    def _find(self, request: str, ask: Callable[[Any], Any]) -> Any:  # noqa: ANN401
        """Return None for what is not there."""
        try:
            return self._call(request, ask)
        except EngineFault as fault:
            if fault.gone:
                return None
            raise

    def _gone(
        self, request: str, ask: Callable[[Any], Any], *, what: str, seconds: float | None = None
    ) -> None:
        """Remove something; that it is not there any more is as good."""
        correlation = self._correlation(what)
        try:
            self._call(
                request,
                lambda system: ask(system)(headers=heading(correlation)),
                seconds=seconds,
                correlation=correlation,
            )
        except EngineFault as fault:
            if not fault.gone:
                raise


def heading(correlation: str) -> dict[str, str]:
    """Return the header that makes events and jobs carry our id."""
    return {"Correlation-Id": correlation}


def named(values: Iterable[Any], name: str) -> Any:  # noqa: ANN401
    """Return the one with exactly this name: a search may match more, or nothing at all."""
    return next((value for value in values if value.name == name), None)
