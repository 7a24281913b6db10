"""What every probe is given."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.target.model import Target


@dataclass(frozen=True)
class Asked:
    """What to look at, and for how long: `seconds` for each answer, `total` for all of it.

    `versions` are the candidate's by component, empty where the installed ones need not be the candidate's;
    `places` are names and addresses of release files; `met` is told who answers; `flag` ends every request.
    """

    target: Target
    met: Callable[[str, str], None]
    seconds: float = 4.0
    total: float = 8.0
    versions: dict[str, str] = field(default_factory=dict)
    places: tuple[tuple[str, str], ...] = ()
    flag: threading.Event = field(default_factory=threading.Event)
