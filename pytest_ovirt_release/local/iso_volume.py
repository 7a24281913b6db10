"""Prints what an ISO 9660 image says of itself, as JSON; run by path in a process of its own, with limits.

pycdlib reads the whole tree of directories at once, and an image that a stranger made may be endless.
Argument: PATH. Exit status 0: a line of JSON; anything else: no image, and why on standard output.
"""

from __future__ import annotations

import json
import sys

from pycdlib import PyCdlib
from pycdlib.pycdlibexception import PyCdlibException

NO_IMAGE = 3
"""Exit status for a file that is no image."""


def main(path: str) -> int:
    """Print the image's volume id and how many bytes its volume has."""
    image = PyCdlib()
    try:
        image.open(path)
        name = image.pvd.volume_identifier.decode("utf-8", "replace").rstrip(" \0")
        size = image.pvd.space_size * image.pvd.log_block_size
        image.close()
    except (
        PyCdlibException,
        OSError,
        ValueError,
        LookupError,
        ArithmeticError,
        AttributeError,
        TypeError,
    ) as error:
        # Damaged images make pycdlib stumble in many ways, not only its own.
        print(f"{type(error).__name__}: {str(error)[:300]}")  # noqa: T201 - the answer
        return NO_IMAGE
    print(json.dumps({"volume_id": name, "size": size}))  # noqa: T201 - the answer
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
