"""Write files that are handed on: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from pydantic import BaseModel


def to_toml(model: BaseModel) -> str:
    """Return a data file's text; what is unset or empty stays out, paths become text.

    An empty list would forbid what people do next: add `[[packages]]` tables to the end of the file.
    """
    return tomli_w.dumps(_plain(model.model_dump(by_alias=True, exclude_none=True)))


def write_atomically(path: Path, content: str | bytes, *, replace: bool = False) -> None:
    """Write a file so that it is there whole or not at all; a text as UTF-8.

    Raises ReleaseError when it cannot be written, or is there already and `replace` is false. Then an older file is
    as it was, and nothing is left beside it.
    """
    if not replace and path.exists():
        raise _there_already(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be written: {error.strerror or error}") from error
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        made.chmod(0o666 & ~_umask())  # mkstemp makes it private; this is a file to hand on
        if replace:
            made.replace(path)
        else:
            _link(made, path)
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            made.unlink()


def _link(made: Path, path: Path) -> None:
    """Give the file its name unless somebody took that name meanwhile."""
    try:
        path.hardlink_to(made)
    except FileExistsError:
        raise _there_already(path) from None


def _there_already(path: Path) -> ReleaseError:
    return ReleaseError(f"{path}: is there already; choose another name, or remove it first")


def _umask() -> int:
    """Return the process's umask; there is no way to ask for it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _plain(value: Any) -> Any:  # noqa: ANN401 - walks a model's dump, which holds anything
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item not in ((), [], {})}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
