"""Read a target file: paths made absolute, and everything that does not fit reported together."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_ovirt_release.cli_paths import hint
from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.crosscheck import duplicates, items
from pytest_ovirt_release.release.loading import load
from pytest_ovirt_release.release.mistakes import nearest, shown
from pytest_ovirt_release.target.model import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

API_PATH = "/ovirt-engine/api"
_PATH_KEYS = ("candidate", "page_overlay", "ca_file", "key_file", "password_file")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_HOST_KEY = re.compile(r"(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?")


def load_target(path: Path) -> Target:
    """Return a target with every path absolute (relative ones start at the file's folder, `~` is home).

    Raises ReleaseError with the nearest name when there is no file at all, else DataFileError with every mistake: the form of the file, files that are not there, password
    sources, names and addresses used twice, storage that a node serves and the file does not describe.
    """
    folder = path.resolve().parent
    if not path.exists():
        near = nearest(path.name, ["lab"]) or hint(path)
        raise ReleaseError(
            f"{path}: there is no such target file{near}; `ovirt-release target new` writes one"
        )
    target = load(path, Target, lambda data: target_mistakes(data, folder))
    return Target.model_validate(_absolute(target.model_dump(by_alias=True), folder))


def target_mistakes(data: Mapping[str, Any], folder: Path) -> list[str]:
    """Return one sentence for each contradiction inside a target's raw data; looks whether files exist."""
    mistakes = [*duplicates(data, "nodes", "name"), *duplicates(data, "nodes", "address")]
    mistakes += _missing_files("", data, folder)
    mistakes += _database(data)
    engine = data.get("engine")
    if isinstance(engine, dict):
        mistakes += [
            *_engine_url(engine),
            *_passwords("engine", engine),
            *_missing_files("engine.", _without_fetched_ca(engine), folder),
            *_proxy(engine.get("proxy")),
        ]
        if not ({"password_file", "password_env"} & engine.keys()):
            mistakes.append("engine: no password source; give password_file or password_env")
        mistakes += _ssh("engine.ssh", engine.get("ssh"), folder)
    for where, node in items(data, "nodes"):
        mistakes += _ssh(f"{where}.ssh", node.get("ssh"), folder)
    return [*mistakes, *_storage(data)]


def _absolute(value: Any, folder: Path, key: str = "") -> Any:  # noqa: ANN401 - walks TOML, which holds anything
    if isinstance(value, dict):
        return {k: _absolute(v, folder, k) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_absolute(v, folder) for v in value)
    return _beside(folder, str(value)) if value is not None and key in _PATH_KEYS else value


def _beside(folder: Path, name: str) -> Path:
    return folder / os.path.expanduser(name)  # noqa: PTH111 - Path.expanduser raises where there is no home


def _missing_files(where: str, table: Mapping[str, Any], folder: Path) -> Iterator[str]:
    for key in _PATH_KEYS:
        name = table.get(key)
        if isinstance(name, str) and not _is_file(_beside(folder, name)):
            yield f"{where}{key}: {shown(name)}: there is no such file; relative paths start at {folder}"


def _without_fetched_ca(engine: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the table without the CA file that need not be there: its fingerprint is pinned, so it can be fetched."""
    return {k: v for k, v in engine.items() if k != "ca_file" or "ca_sha256" not in engine}


def _proxy(url: object) -> Iterator[str]:
    if not isinstance(url, str):
        return
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        usable = False
    if "@" in url:
        yield "engine.proxy: must not hold a user or a password; name a proxy that needs none"
    elif not usable:
        yield f"engine.proxy: {shown(url)} is not allowed; allowed: http://HOST:PORT"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or one with a NUL in it
        return False


def _database(data: Mapping[str, Any]) -> Iterator[str]:
    url = data.get("database")
    if not isinstance(url, str):
        return
    try:
        parts = urlsplit(url)
        scheme, password = parts.scheme, parts.password
    except ValueError:
        scheme, password = "", None
    if scheme not in {"postgresql", "postgres"}:
        yield f"database: {shown(url)} is not allowed; allowed: postgresql://USER@HOST:PORT/NAME"
    if password:
        yield "database: must not hold a password; put it into a password file and name that in PGPASSFILE"


def _engine_url(engine: Mapping[str, Any]) -> Iterator[str]:
    url = engine.get("url")
    if not isinstance(url, str):
        return
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.scheme == "https" and parts.path.rstrip("/") == API_PATH
        usable = usable and not parts.query and not parts.fragment and parts.port != 0
        login = "@" in parts.netloc
    except ValueError:  # a port that is none, brackets that do not match
        usable, login = False, False
    if login:
        yield "engine.url: must not hold a user or a password; they have keys of their own"
    if not usable:
        yield f"engine.url: {shown(url)} is not allowed; allowed: https://HOST{API_PATH} or https://HOST:PORT{API_PATH}"


def _passwords(where: str, table: Mapping[str, Any]) -> Iterator[str]:
    if {"password_file", "password_env"} <= table.keys():
        yield f"{where}: password_file and password_env are both given; keep one"
    variable = table.get("password_env")
    if isinstance(variable, str) and not _VARIABLE.fullmatch(variable):
        # Not shown: whoever puts a wrong text here may well have put the password.
        yield f"{where}.password_env: not the name of an environment variable (capitals, digits, _); never the password"


def _ssh(where: str, ssh: object, folder: Path) -> Iterator[str]:
    if not isinstance(ssh, dict):
        return
    yield from _ssh(f"{where}.proxy_jump", ssh.get("proxy_jump"), folder)
    yield from _passwords(where, ssh)
    yield from _missing_files(f"{where}.", ssh, folder)
    if not ({"key_file", "password_file", "password_env"} & ssh.keys()):
        yield f"{where}: no way to log in; give key_file, password_file or password_env"
    if isinstance(ssh.get("port"), int) and ssh["port"] > 65_535:  # noqa: PLR2004 - the last TCP port
        yield f"{where}.port: {ssh['port']} is not allowed; allowed: 1 to 65535"
    key = ssh.get("host_key")
    if isinstance(key, str) and not _HOST_KEY.fullmatch(key.strip()):
        allowed = "the line that `ssh-keyscan` prints, from the key's type on, such as 'ssh-ed25519 AAAA…'"
        yield f"{where}.host_key: {shown(key)} is not allowed; allowed: {allowed}"


def _storage(data: Mapping[str, Any]) -> Iterator[str]:
    storage = data.get("storage")
    given: Mapping[str, Any] = storage if isinstance(storage, dict) else {}
    nodes = tuple(items(data, "nodes"))
    served = {str(node.get("storage")): where for where, node in nodes}
    if (where := served.pop("both", None)) is not None:
        if len(nodes) > 1:
            yield f"{where}.storage: 'both' is for the only node of a target; give each of several one kind"
        served |= {"nfs": where, "local": where}
    if "nfs" in served and "nfs" not in given:
        yield f"storage.nfs: missing; {served['nfs']} serves nfs, so its address and path are needed"
    if "local" in served and "local_path" not in given:
        yield f"storage.local_path: missing; {served['local']} serves local storage, so its folder is needed"
    nfs = given.get("nfs")
    paths = {
        "storage.local_path": given.get("local_path"),
        "storage.nfs.path": nfs.get("path") if isinstance(nfs, dict) else None,
    }
    for key, path in paths.items():
        if isinstance(path, str) and not path.startswith("/"):
            yield f"{key}: {shown(path)} is not allowed; allowed: a path on that machine, beginning with /"
