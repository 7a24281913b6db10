"""What a command on the lab's engine machine gives back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Standard output, standard error and exit status of one command."""

    out: str = ""
    err: str = ""
    status: int = 0
