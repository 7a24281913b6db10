"""A target file that explains itself reads back as the same target."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from pytest_ovirt_release.target import commented, model
from pytest_ovirt_release.target.commented import commented_toml
from pytest_ovirt_release.target.model import Target

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: text.strip() == text
)
SLUG = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,8}", fullmatch=True)
PATHS = st.from_regex(r"[a-z]{1,8}(/[a-z #\"]{1,8}){0,2}", fullmatch=True).map(Path)
SHA = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
DIRECT = st.builds(model.SshTarget, address=TEXT, host_key=TEXT)
SSH = st.builds(
    model.SshTarget, proxy_jump=st.none() | DIRECT, address=TEXT, port=st.integers(1, 65535), key_file=st.none() | PATHS, host_key=TEXT,
    password_env=st.none() | TEXT, password_file=st.none() | PATHS,
)  # fmt: skip
TARGETS = st.builds(
    Target,
    schema=st.just("ovirt-release-target/1"),
    name=SLUG,
    candidate=st.none() | PATHS,
    mirrors=st.dictionaries(SLUG, TEXT, max_size=2),
    run_release_scripts=st.booleans(),
    database=st.none() | TEXT,
    engine=st.builds(
        model.EngineTarget, url=TEXT, ca_file=PATHS, ca_sha256=st.none() | SHA, ssh=st.none() | SSH, user=TEXT,
        password_env=st.none() | TEXT, password_file=st.none() | PATHS, proxy=st.none() | TEXT,
    ),
    nodes=st.lists(
        st.builds(model.NodeTarget, name=SLUG, address=TEXT, ssh=SSH, storage=st.sampled_from(["nfs", "local"])),
        min_size=1, max_size=3,
    ).map(tuple),
    storage=st.builds(
        model.StorageTarget,
        nfs=st.none() | st.builds(model.NfsTarget, address=TEXT, path=TEXT, options=st.none() | TEXT),
        local_path=st.none() | TEXT,
    ),
    deadlines=st.builds(model.Deadlines, approve=st.floats(1, 86_400)),
)  # fmt: skip


@given(target=TARGETS)
def test_it_reads_back_as_the_same_target(target: Target) -> None:
    assert Target.model_validate(tomllib.loads(commented_toml(target))) == target


@pytest.mark.parametrize(
    ("keys", "table"),
    [
        (commented.TOP, model.Target), (commented.ENGINE, model.EngineTarget), (commented.SSH, model.SshTarget),
        (commented.NODE, model.NodeTarget), (commented.STORAGE, model.StorageTarget), (commented.NFS, model.NfsTarget),
    ],
    ids=["top", "engine", "ssh", "node", "storage", "nfs"],
)  # fmt: skip
def test_no_key_of_the_format_is_left_out(keys: commented.Keys, table: type[BaseModel]) -> None:
    tables = {"engine", "nodes", "deadlines", "mirrors", "ssh", "nfs", "proxy_jump"}
    if table is model.Target:
        tables.add("storage")
    known = {field.alias or name for name, field in table.model_fields.items()} - tables
    assert {key for key, _, _ in keys} == known


def test_what_is_not_set_stands_there_to_be_filled_in() -> None:
    ssh: dict[str, Any] = {"address": "a", "host_key": "ssh-ed25519 AAAA", "key_file": "id"}
    target = Target.model_validate(
        {
            "schema": "ovirt-release-target/1",
            "name": "room",
            "engine": {"url": "https://e/ovirt-engine/api", "ca_file": "ca.pem", "password_env": "PW"},
            "nodes": [{"name": "n", "address": "a", "ssh": ssh, "storage": "nfs"}],
            "storage": {"nfs": {"address": "a", "path": "/x"}},
        }
    )
    lines = commented_toml(target).splitlines()
    assert 'password_env = "PW"  # environment variable that holds the password' in lines
    assert '# password_file = "engine.password"  # file whose first line is the password' in lines
    assert any(line.startswith("# proxy = ") for line in lines)
