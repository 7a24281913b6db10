"""Write a target file for people: every key with what it means, those not used as comments to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_ovirt_release.target.model import Target

HEAD = (
    "# What is under test: engine, nodes and storage. Relative paths start at this file's folder.",
    "# Passwords never stand here: name a file (chmod 600) or an environment variable; a variable that is not set is",
    "# asked for on the terminal. `ovirt-release target check` tries everything below without changing anything.",
)

Keys = tuple[tuple[str, str, object], ...]
"""Key, what it means, and an example for where it is not set."""

TOP: Keys = (
    ("schema", "the format of this file", ""),
    ("name", "stands in every report as the place that was tested", ""),
    ("candidate", "what is judged: from the release manager", "candidate.toml"),
    ("page_overlay", "", None),
    ("run_release_scripts", "whether the release's PKI and database scripts may run on this machine", None),
    (
        "database",
        "a PostgreSQL for the release's script instead of the embedded one",
        "postgresql://USER@HOST:PORT/NAME",
    ),
)
ENGINE: Keys = (
    ("url", "the API's address", ""),
    ("ca_file", "the engine's CA", ""),
    ("ca_sha256", "its fingerprint: with it, a CA file that is not there is fetched once", "0" * 64),
    ("user", "", None),
    ("password_env", "environment variable that holds the password", "ENGINE_PASSWORD"),
    ("password_file", "file whose first line is the password", "engine.password"),
    (
        "proxy",
        "proxy variables of the environment are ignored; this one is used",
        "http://proxy.example.org:3128",
    ),
)
SSH: Keys = (
    ("address", "", ""),
    ("port", "", None),
    ("user", "", None),
    ("key_file", "private key without a passphrase", "~/.ssh/id_ed25519"),
    ("password_env", "or a password", "NODE_PASSWORD"),
    ("password_file", "or a password", "node.password"),
    (
        "host_key",
        "the machine's public key, pinned: `ssh-keyscan -t ed25519 HOST` without the host's name",
        "",
    ),
)
NODE: Keys = (
    ("name", "", ""),
    ("address", "what the engine shall know it by", ""),
    (
        "storage",
        'which storage it serves: "nfs" (vm-on-nfs is proven here), "local" (vm-on-local), or, as the only node, "both"',
        "",
    ),
    ("registered_by", '"command": we run `vdsm-tool register` on it; "node": it registers by itself', ""),
    ("cluster", "existing cluster it is approved into; without it the run makes one", "Default"),
    (
        "may_move",
        "whether a host that is up already may be put to maintenance and moved for local storage",
        None,
    ),
)
STORAGE: Keys = (
    ("local_path", "empty folder on the node that serves local storage, owned by 36:36", "/data/acceptance"),
)
NFS: Keys = (
    ("address", "", ""),
    ("path", "must be empty and owned by 36:36", ""),
    ("version", "auto, v3, v4, v4_0, v4_1 or v4_2", None),
    ("options", "further mount options", "nconnect=4"),
)


def commented_toml(target: Target) -> str:
    """Return a target as TOML that explains itself; reading it gives the same target."""
    data = target.model_dump(mode="json", by_alias=True, exclude_none=True)
    engine, storage = data["engine"], data["storage"]
    lines = [*HEAD, "", *_keys(data, TOP)]
    lines += [
        "",
        "# Mirrors or staging areas of the release's files, by the names that the page gives its places.",
    ]
    lines += ["[mirrors]" if data["mirrors"] else "# [mirrors]"]
    lines += [line for name, url in data["mirrors"].items() for line in _pair(name, url)]
    lines += ["", "[engine]", *_keys(engine, ENGINE)]
    if "ssh" in engine:
        lines += _ssh(
            "engine.ssh", engine["ssh"], " # shows the setup tool and the service (easy-installation)"
        )
    for node in data["nodes"]:
        lines += ["", "[[nodes]]", *_keys(node, NODE), *_ssh("nodes.ssh", node["ssh"])]
    lines += ["", "[storage]", *_keys(storage, STORAGE)]
    if "nfs" in storage:
        lines += ["", "[storage.nfs]", *_keys(storage["nfs"], NFS)]
    lines += [
        "",
        "[deadlines] # longest waits in seconds",
        *_keys(data["deadlines"], tuple((k, "", None) for k in data["deadlines"])),
    ]
    return "\n".join(lines) + "\n"


def _ssh(where: str, table: Mapping[str, Any], means: str = "") -> Iterator[str]:
    """Yield the table of a machine, and of the one that the way leads through."""
    yield from ("", f"[{where}]{means}", *_keys(table, SSH))
    if "proxy_jump" in table:
        yield from _ssh(f"{where}.proxy_jump", table["proxy_jump"])
    else:
        yield f"# [{where}.proxy_jump]  # the machine that the way leads through, with the same keys as this one"


def _keys(table: Mapping[str, Any], keys: Keys) -> Iterator[str]:
    for key, means, example in keys:
        if key in table:
            yield from _pair(key, table[key], means)
        elif example is not None:
            yield "# " + "".join(_pair(key, example, means))


def _pair(key: str, value: object, means: str = "") -> list[str]:
    text = tomli_w.dumps({key: str(value) if isinstance(value, Path) else value}).strip()
    return [f"{text}  # {means}" if means else text]
