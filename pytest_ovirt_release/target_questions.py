"""The questions of `ovirt-release target new`; what was answered becomes a commented target file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from pytest_ovirt_release.checks.ssh_keys import fingerprint, pinned_key, shown_key
from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.release.writing import write_atomically
from pytest_ovirt_release.target import ca_file
from pytest_ovirt_release.target.commented import commented_toml
from pytest_ovirt_release.target.loading import API_PATH, load_target
from pytest_ovirt_release.target.model import Target

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 5.0
"""Longest wait for a CA or a host key; who does not answer is asked for by hand."""

KINDS = ("nfs", "local")
BOTH = "both"
"""What the only node of a target may serve."""

PLAIN = re.compile(r"[a-z0-9][a-z0-9.-]*")


def ask_target(path: Path) -> None:
    """Ask for everything and write the file, readable by its owner only.

    Raises:
        ReleaseError: an answer does not fit; all mistakes are told together, and no file is left.
    """
    data: dict[str, Any] = {"schema": "ovirt-release-target/1"}
    data["name"] = click.prompt(
        "Name of the place under test, for reports", default="my-room", value_proc=_slug
    )
    data["engine"] = _engine(path.resolve().parent)
    data["nodes"] = _nodes()
    served = {node["storage"] for node in data["nodes"]}
    data["storage"] = _storage(set(KINDS) if BOTH in served else served)
    if (candidate := _optional("Candidate file (from the release manager)")) is not None:
        data["candidate"] = candidate
    question = "May the release's PKI and database scripts run on this machine?"
    data["run_release_scripts"] = click.confirm(question, default=False)
    write_atomically(path, commented_toml(Target.model_validate(data)))
    path.chmod(0o600)
    try:
        load_target(path)
    except ReleaseError as error:
        click.echo(f"To be mended in the file:\n{error}", err=True)


def _engine(folder: Path) -> dict[str, Any]:
    url = engine_url(click.prompt("Engine (its host name, or the API's address)"))
    table: dict[str, Any] = {"url": url, **_ca(url, folder)}
    table["user"] = click.prompt("User", default="admin@internal")
    table |= _password("the user's password", "ENGINE_PASSWORD")
    if click.confirm("Is there SSH to the engine's machine (shows setup tool and service)?", default=False):
        table["ssh"] = _ssh(urlsplit(url).hostname or "")
    return table


def engine_url(answer: str) -> str:
    """Return the API's address for a host name, a host with a port, or any address of the engine."""
    address = answer if "://" in answer else f"https://{answer}"
    return f"https://{urlsplit(address).netloc}{API_PATH}"


def _ca(url: str, folder: Path) -> dict[str, Any]:
    """Return where the CA is: fetched and confirmed by its fingerprint, or a file."""
    try:
        pem = ca_file.fetch_ca(url, SECONDS)
    except Unreachable as error:
        click.echo(f"The engine's CA cannot be fetched: {error}")
        return {"ca_file": click.prompt("File with the engine's CA", default="ca.pem")}
    digest = ca_file.fingerprint(pem)
    click.echo(f"The engine gives a CA with the SHA-256 {digest}.")
    click.echo(
        "Compare: openssl x509 -noout -sha256 -fingerprint -in /etc/pki/ovirt-engine/ca.pem (on the engine)"
    )
    if not click.confirm("Is that the right one?", default=False):
        return {"ca_file": click.prompt("File with the engine's CA", default="ca.pem")}
    kept = folder / "ca.pem"
    if not kept.exists():
        write_atomically(kept, pem)
    return {"ca_file": "ca.pem", "ca_sha256": digest}


def _nodes() -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    while not nodes or click.confirm("Another node?", default=len(nodes) < len(KINDS)):
        number = len(nodes) + 1
        name = click.prompt("Node's name in reports", default=f"node-{number}", value_proc=_slug)
        address = click.prompt("Its address, as the engine shall know it")
        left = [kind for kind in KINDS if kind not in {node["storage"] for node in nodes}]
        choices = KINDS if nodes else (*KINDS, BOTH)
        storage = click.prompt("Storage it serves", type=click.Choice(choices), default=(left or KINDS)[0])
        how = click.prompt("Who registers it", type=click.Choice(("command", "node")), default="command")
        known = {"name": name, "address": address, "storage": storage, "registered_by": how}
        nodes.append({**known, "ssh": _ssh(address)})
        if storage == BOTH:
            break
    return nodes


def _ssh(address: str) -> dict[str, Any]:
    table: dict[str, Any] = {"address": click.prompt("SSH address", default=address)}
    table["port"] = click.prompt("SSH port", type=click.IntRange(1, 65535), default=22)
    table["user"] = click.prompt("SSH user", default="root")
    key = click.prompt("Private key (empty: a password)", default="~/.ssh/id_ed25519")
    table |= {"key_file": key} if key.strip() else _password("the SSH password", "NODE_PASSWORD")
    table["host_key"] = _host_key(table["address"], table["port"])
    return table


def _host_key(address: str, port: int) -> str:
    try:
        line = shown_key(address, port, SECONDS)
    except Unreachable as error:
        click.echo(f"Its host key cannot be read: {error}")
        return str(click.prompt("Host key (a line of /etc/ssh/ssh_host_*_key.pub)"))
    kind, blob = pinned_key(line, address)
    click.echo(f"{address} shows the {kind} key {fingerprint(blob)}.")
    click.echo("Compare: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub (on that machine)")
    if click.confirm("Is that the right one?", default=False):
        return line
    return str(click.prompt("Host key (a line of /etc/ssh/ssh_host_*_key.pub)"))


def _storage(kinds: set[str]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    if "nfs" in kinds:
        address = click.prompt("NFS server")
        path = click.prompt("Path of an empty export there, owned by 36:36")
        versions = ("auto", "v3", "v4", "v4_0", "v4_1", "v4_2")
        version = click.prompt("NFS version", type=click.Choice(versions), default="auto")
        table["nfs"] = {"address": address, "path": path, "version": version}
        if (options := _optional("Further mount options")) is not None:
            table["nfs"]["options"] = options
    if "local" in kinds:
        table["local_path"] = click.prompt(
            "Empty folder on the node for local storage", default="/data/acceptance"
        )
    return table


def _password(what: str, variable: str) -> dict[str, Any]:
    """Ask where a password is; never for the password."""
    source = click.prompt(
        f"Where is {what}: in the environment (or typed when asked), or in a file?",
        type=click.Choice(("env", "file")),
        default="env",
    )
    if source == "env":
        return {"password_env": click.prompt("Environment variable", default=variable)}
    return {"password_file": click.prompt("File, whose first line is the password")}


def _optional(question: str) -> str | None:
    answer = str(click.prompt(f"{question} (empty: none)", default="", show_default=False)).strip()
    return answer or None


def _slug(answer: str) -> str:
    if not PLAIN.fullmatch(answer):
        raise click.UsageError("lower-case letters, digits, dots and dashes, please")
    return answer
