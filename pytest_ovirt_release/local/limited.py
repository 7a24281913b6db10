"""Sets resource limits and becomes the wanted program; run by path, in a fresh interpreter (`-I -S`).

A launcher of its own instead of `preexec_fn`, which is not safe in a process that has threads.
Arguments: CPU-SECONDS FILE-BYTES ADDRESS-BYTES EXTRA-THREADS PROGRAM [ARG …].
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

CANNOT_START = 127
"""Exit status when the program cannot be executed, as in a shell."""


def threads_of(user: int) -> int:
    """Count the threads that a user has now: RLIMIT_NPROC counts them all, not only ours."""
    count = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if folder.stat().st_uid == user:
                count += len(os.listdir(folder / "task"))  # noqa: PTH208 - only their number matters
        except OSError:
            continue  # it ended meanwhile
    return count


def lower(limit: int, wanted: int) -> None:
    """Set a limit, never above what this process may have."""
    hard = resource.getrlimit(limit)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(limit, (value, value))


def main(arguments: list[str]) -> int:
    """Limit this process and execute the program; returns only when that is impossible."""
    cpu, file_size, address_space, extra_threads = (int(a) for a in arguments[:4])
    command = arguments[4:]
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_CPU, cpu)
    lower(resource.RLIMIT_FSIZE, file_size)
    lower(resource.RLIMIT_AS, address_space)
    lower(resource.RLIMIT_NPROC, threads_of(os.getuid()) + extra_threads)
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming the program is the point; there is no shell
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    return CANNOT_START


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
