"""What a case of the corpus is: a bad release that one check has to refuse, and its good twin.

A builder makes both: `bad` says which, and is the only thing that differs between them. It returns the check, ready
to be called; so trouble while building is never taken for a refusal. Cases stand in the modules `*_cases.py` of this
folder, which are found by their names.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_ovirt_release.errors import Blocked, CheckFailed, Unreachable

if TYPE_CHECKING:
    from tests.corpus.workshop import Workshop

Check = Callable[[], object]
"""Judges what was built: raises for a bad release; what it returns for a good one does not matter."""


class Builder(Protocol):
    """Makes the bad release or its good twin in a workshop."""

    __name__: str
    __module__: str

    def __call__(self, shop: Workshop, *, bad: bool) -> Check: ...


@dataclass(frozen=True)
class Case:
    """A named builder, the check that it is about, and the reason code that must come out when it is bad.

    `needs` are programs without which it cannot be built.
    """

    name: str
    check: str
    code: str
    build: Builder
    needs: tuple[str, ...] = ()

    def missing(self) -> str:
        """Return the first needed program that this machine lacks, else nothing."""
        return next((program for program in self.needs if shutil.which(program) is None), "")


_cases: dict[str, Case] = {}


def case(check: str, code: str, *needs: str) -> Callable[[Builder], Builder]:
    """Add a builder to the corpus; its name is the case's name, its docstring says what is bad."""

    def add(build: Builder) -> Builder:
        name = f"{check}-{build.__name__.replace('_', '-')}"
        if name in _cases:
            raise ValueError(f"there are two cases {name}")
        _cases[name] = Case(name, check, code, build, needs)
        return build

    return add


def corpus() -> tuple[Case, ...]:
    """Return every case of this folder, by name."""
    for path in sorted(Path(__file__).parent.glob("*_cases.py")):
        importlib.import_module(f"tests.corpus.{path.stem}")
    return tuple(_cases[name] for name in sorted(_cases))


def reason(error: Exception) -> str:
    """Return the reason code of a refusal; what could not be judged is `unproven` where it has no code of its own."""
    if isinstance(error, CheckFailed):
        return error.code
    if isinstance(error, Unreachable):
        return "unreachable"
    if isinstance(error, Blocked):
        return f"blocked-on-{error.on}"
    return str(getattr(error, "code", "unproven"))
