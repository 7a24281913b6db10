"""A target file with mistakes tells all of them, and never a password."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ovirt_release.errors import DataFileError
from pytest_ovirt_release.target.loading import load_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.target.model import Target

    Change = Callable[[dict[str, Any]], None]

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKh"


def node(name: str, address: str, storage: str) -> dict[str, Any]:
    ssh = {"address": address, "key_file": "id", "host_key": HOST_KEY}
    return {"name": name, "address": address, "storage": storage, "ssh": ssh}


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Any]:
    for name in ("ca.pem", "password", "id", "candidate.toml"):
        (tmp_path / name).write_text("x")
    return {
        "schema": "ovirt-release-target/1",
        "name": "office",
        "candidate": "candidate.toml",
        "engine": {
            "url": "https://engine.example.org/ovirt-engine/api",
            "ca_file": "ca.pem",
            "password_file": "password",
        },
        "nodes": [node("node-1", "192.0.2.1", "nfs"), node("node-2", "192.0.2.2", "local")],
        "storage": {"nfs": {"address": "192.0.2.9", "path": "/exports/data"}, "local_path": "/data"},
    }


@pytest.fixture
def load(tmp_path: Path, data: dict[str, Any]) -> Callable[[], Target]:
    def load_it() -> Target:
        (tmp_path / "target.toml").write_text(tomli_w.dumps(data))
        return load_target(tmp_path / "target.toml")

    return load_it


@pytest.fixture
def mistakes(load: Callable[[], object]) -> Callable[[], list[str]]:
    def found() -> list[str]:
        with pytest.raises(DataFileError) as caught:
            load()
        return list(caught.value.mistakes)

    return found


def test_paths_start_at_the_file_s_folder(
    tmp_path: Path, data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "id").write_text("x")
    monkeypatch.setenv("HOME", str(home))
    data["nodes"][1]["ssh"]["key_file"] = "~/id"
    (tmp_path / "target.toml").write_text(tomli_w.dumps(data))
    monkeypatch.chdir(tmp_path)
    target = load_target(Path("target.toml"))
    assert target.engine.ca_file == tmp_path.resolve() / "ca.pem"
    assert target.engine.password_file == tmp_path.resolve() / "password"
    assert target.candidate == tmp_path.resolve() / "candidate.toml"
    assert target.nodes[0].ssh.key_file == tmp_path.resolve() / "id"
    assert target.nodes[1].ssh.key_file == home / "id"
    assert target.page_overlay is None


def test_all_mistakes_are_told_at_once(
    tmp_path: Path, data: dict[str, Any], mistakes: Callable[[], list[str]]
) -> None:
    data["nodes"][1] |= {"name": "node-1", "address": "192.0.2.1", "registered_by": "hand"}
    data["engine"] |= {"url": "http://engine.example.org", "ca_file": "none.pem", "password_env": "PW"}
    data["storage"] = {}
    assert mistakes() == [
        "nodes[1 node-1].registered_by: 'hand' is not allowed; allowed: 'node' or 'command'",
        "nodes[1 node-1].name: 'node-1' stands here twice; each name must be there once",
        "nodes[1 node-1].address: '192.0.2.1' stands here twice; each address must be there once",
        (
            "engine.url: 'http://engine.example.org' is not allowed; allowed: https://HOST/ovirt-engine/api or "
            "https://HOST:PORT/ovirt-engine/api"
        ),
        "engine: password_file and password_env are both given; keep one",
        f"engine.ca_file: 'none.pem': there is no such file; relative paths start at {tmp_path.resolve()}",
        "storage.nfs: missing; nodes[0 node-1] serves nfs, so its address and path are needed",
        "storage.local_path: missing; nodes[1 node-1] serves local storage, so its folder is needed",
    ]


def drop(*path: Any) -> Change:
    return lambda data: inner(data, path[:-1]).pop(path[-1])


def put(*path: Any, to: Any) -> Change:
    return lambda data: inner(data, path[:-1]).__setitem__(path[-1], to)


def inner(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (drop("engine", "password_file"), "engine: no password source; give password_file or password_env"),
        (
            drop("nodes", 0, "ssh", "key_file"),
            "nodes[0 node-1].ssh: no way to log in; give key_file, password_file or password_env",
        ),
        (
            put("nodes", 0, "ssh", "host_key", to="SHA256:abc"),
            (
                "nodes[0 node-1].ssh.host_key: 'SHA256:abc' is not allowed; allowed: the line that `ssh-keyscan` prints, "
                "from the key's type on, such as 'ssh-ed25519 AAAA…'"
            ),
        ),
        (
            put(
                "nodes",
                0,
                "ssh",
                "proxy_jump",
                to={"address": "gate.example", "host_key": "ssh-ed25519 AAAA"},
            ),
            "nodes[0 node-1].ssh.proxy_jump: no way to log in; give key_file, password_file or password_env",
        ),
        (
            put("nodes", to=[node("node-1", "192.0.2.1", "nsf")]),
            "nodes[0 node-1].storage: 'nsf' is not allowed; allowed: 'nfs', 'local' or 'both'",
        ),
        (
            put("nodes", 1, "storage", to="both"),
            (
                "nodes[1 node-2].storage: 'both' is for the only node of a target; give each of several one kind"
            ),
        ),
        (put("nodes", to=[]), "nodes: a list is not allowed; allowed: a list of at least 1"),
        (
            put("nodes", 0, "ssh", "port", to=70000),
            "nodes[0 node-1].ssh.port: 70000 is not allowed; allowed: 1 to 65535",
        ),
        (
            put("storage", "local_path", to="data"),
            "storage.local_path: 'data' is not allowed; allowed: a path on that machine, beginning with /",
        ),
        (
            put("database", to="mysql://x"),
            "database: 'mysql://x' is not allowed; allowed: postgresql://USER@HOST:PORT/NAME",
        ),
        (
            put("deadlines", to={"approve": float("inf")}),
            "deadlines.approve: inf is not allowed; allowed: a finite number",
        ),
        (put("deadlines", to={"ssh": 0}), "deadlines.ssh: 0 is not allowed; allowed: a number above 0"),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "change",
)
def test_each_mistake_has_its_sentence(
    data: dict[str, Any], mistakes: Callable[[], list[str]], change: Change, sentence: str
) -> None:
    change(data)
    assert mistakes() == [sentence]


@pytest.mark.parametrize(
    "change",
    [
        put("engine", "password", to="hunter2"),
        put("engine", "password_env", to="hunter2"),
        put("engine", "url", to="https://admin:hunter2@engine.example.org/ovirt-engine/api"),
        put("engine", "url", to="http://admin:hunter2@engine.example.org:x/"),
        put("database", to="postgresql://engine:hunter2@127.0.0.1/engine"),
        put("database", to="hunter://engine:hunter2@127.0.0.1/engine"),
        put("nodes", 0, "ssh", "password", to="hunter2"),
        put("nodes", 0, "ssh", to=["hunter2"]),
    ],
    ids=[
        "unknown key",
        "variable",
        "address",
        "bad address",
        "database",
        "bad database",
        "of a node",
        "a list",
    ],
)
def test_no_message_shows_a_password(
    data: dict[str, Any], mistakes: Callable[[], list[str]], change: Change
) -> None:
    change(data)
    found = mistakes()
    assert found
    assert "hunter2" not in "\n".join(found)


def test_the_only_node_may_serve_both_kinds_and_needs_both_described(
    data: dict[str, Any], load: Callable[[], Target], mistakes: Callable[[], list[str]]
) -> None:
    data["nodes"] = [node("node-1", "192.0.2.1", "both")]
    (only,) = load().nodes
    assert (only.serves("nfs"), only.serves("local")) == (True, True)
    assert (only.at("nfs").serves("nfs"), only.at("nfs").serves("local")) == (True, False)
    data["storage"] = {}
    assert [text.partition(":")[0] for text in mistakes()] == ["storage.nfs", "storage.local_path"]


def test_a_database_address_without_password_is_fine(
    data: dict[str, Any], load: Callable[[], object]
) -> None:
    data["database"] = "postgresql://postgres:@/postgres?host=%2Ftmp%2Fx"
    load()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=100,
    deadline=None,
)
@given(
    path=st.sampled_from(
        [
            ("engine",), ("engine", "url"), ("engine", "ca_file"), ("engine", "password_env"), ("nodes",),
            ("nodes", 0), ("nodes", 0, "ssh"), ("nodes", 0, "ssh", "key_file"), ("nodes", 0, "ssh", "host_key"),
            ("nodes", 0, "storage"), ("nodes", 0, "address"), ("storage",), ("storage", "nfs"), ("database",),
            ("candidate",), ("schema",),
        ]
    ),
    value=st.integers() | st.booleans() | st.lists(st.text(max_size=3), max_size=2) | st.text(max_size=300)
    | st.sampled_from(["https://[", "https://a:b:c/", "postgresql://[x", "x" * 5000, "~", "\0"]),
)  # fmt: skip
def test_a_mutated_target_is_a_target_or_a_data_file_error(
    tmp_path: Path, data: dict[str, Any], path: tuple[Any, ...], value: Any
) -> None:
    before = inner(data, path[:-1]).get(path[-1]) if isinstance(path[-1], str) else inner(data, path)
    put(*path, to=value)(data)
    try:
        (tmp_path / "target.toml").write_bytes(tomli_w.dumps(data).encode("utf-8", "surrogatepass"))
        load_target(tmp_path / "target.toml")
    except DataFileError as error:
        assert error.mistakes  # noqa: PT017 - either outcome is right, any other exception is not
    finally:
        put(*path, to=before)(data)
        if before is None:
            drop(*path)(data)
