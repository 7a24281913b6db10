"""Tags, branches and trees are read from real repositories over smart HTTP."""

from __future__ import annotations

import os
import random
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.git import fetch_tree, fetch_treeless, ls_remote_tag
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unreachable
from tests.unit.checks.repositories import DAY, START, Repository
from tests.unit.checks.web import Handler, Web, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "site").mkdir()
    yield from running(tmp_path / "site")


@pytest.fixture
def repository(web: Web) -> Repository:
    """Main with two commits, tags on the second; a branch with two commits of its own; main goes on."""
    made = Repository(web, "vdsm.git")
    made.commit(VERSION="4.9.2\n")
    made.commit(VERSION="4.9.3\n", run_sh="#!/bin/sh\n")
    made.git("tag", "v4.9.3")
    made.git("tag", "-a", "-m", "release", "annotated")
    made.git("checkout", "-q", "-b", "release-3.0")
    made.commit(BRANCH="1\n")
    made.commit(BRANCH="2\n")
    made.git("checkout", "-q", "main")
    made.commit(NEWS="next\n")
    made.publish()
    return made


def day(number: int) -> datetime:
    return datetime.fromtimestamp(START + number * DAY, UTC)


def test_lightweight_and_annotated_tags_lead_to_their_commit(repository: Repository) -> None:
    commit = repository.git("rev-parse", "v4.9.3").strip()
    light = ls_remote_tag(repository.url, "v4.9.3", 20)
    heavy = ls_remote_tag(repository.url, "annotated", 20)
    assert light is not None
    assert heavy is not None
    assert (light.ref, light.object, light.commit, light.annotated) == (
        "refs/tags/v4.9.3",
        commit,
        commit,
        False,
    )
    assert (heavy.commit, heavy.annotated) == (commit, True)
    assert heavy.object == repository.git("rev-parse", "annotated").strip()


def test_only_the_exact_ref_counts(repository: Repository, tmp_path: Path) -> None:
    repository.git("branch", "v9")
    repository.git("tag", "evil/v9")
    repository.publish()
    assert ls_remote_tag(repository.url, "v9", 20) is None
    assert ls_remote_tag(repository.url, "4.9.3", 20) is None
    assert fetch_treeless(repository.url, None, "v4.9.3", tmp_path / "none", 20).branch is None
    head = repository.git("rev-parse", "release-3.0").strip()
    assert fetch_treeless(repository.url, None, "release-3.0", tmp_path / "one", 20).branch == head


@pytest.mark.parametrize("filters", [True, False])
def test_a_history_tells_what_a_release_is_asked(web: Web, tmp_path: Path, *, filters: bool) -> None:
    made = Repository(web, "engine.git", filters=filters)
    made.commit(VERSION="1\n")
    tagged = made.commit(VERSION="3.0.0\n")
    made.git("tag", "engine-3.0.0")
    made.git("checkout", "-q", "-b", "release-3.0")
    first = made.commit(BRANCH="1\n")
    made.commit(BRANCH="2\n")
    made.git("checkout", "-q", "main")
    made.commit(NEWS="next\n")
    made.git("tag", "elsewhere")
    made.publish()
    elsewhere = fetch_treeless(made.url, "elsewhere", "release-3.0", tmp_path / "elsewhere", 20)
    assert not elsewhere.branch_contains_tag()
    history = fetch_treeless(made.url, "engine-3.0.0", "release-3.0", tmp_path / "scratch", 20)
    assert history.tag is not None
    assert history.tag.commit == tagged
    assert history.branch_contains_tag()
    began = history.branch_began()
    assert began is not None
    assert (began.commit, began.at) == (first, day(3))
    assert history.date_of(tagged) == day(2)
    assert history.text_at(tagged, "VERSION") == "3.0.0\n"
    assert history.text_at(tagged, "NEWS") is None
    packed = sum(p.stat().st_size for p in (tmp_path / "scratch").rglob("*.pack"))
    assert packed < 3000


def test_a_server_that_only_has_files_is_asked_for_all(
    repository: Repository, web: Web, tmp_path: Path
) -> None:
    repository.git("--git-dir", str(repository.bare), "update-server-info")
    (web.root / "dumb").symlink_to(web.root / "git")
    url = repository.url.replace("/git/", "/dumb/")
    history = fetch_treeless(url, "v4.9.3", "release-3.0", tmp_path / "a", 20)
    assert history.tag is not None
    assert history.branch_contains_tag()
    began = history.branch_began()
    assert began is not None
    assert began.at == day(3)
    assert history.text_at(history.tag.commit, "VERSION") == "4.9.3\n"


def test_a_server_that_sends_without_end_meets_a_cap(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Repository(web, "huge.git", filters=False)
    (made.work / "noise").write_bytes(random.Random(1).randbytes(600_000))  # noqa: S311 - bytes that cannot be packed
    made.commit(VERSION="1\n")
    made.git("tag", "v1")
    made.publish()
    monkeypatch.setattr("pytest_ovirt_release.checks.git_command.LARGEST_PACK", 200_000)
    with pytest.raises(CheckFailed) as caught:
        fetch_treeless(made.url, "v1", "main", tmp_path / "a", 20)
    assert caught.value.code == "repository-too-large"


def test_a_long_history_costs_kilobytes(web: Web, tmp_path: Path) -> None:
    made = Repository(web, "long.git")
    lines = []
    for number in range(3000):
        who = f"Dev <dev{number % 97}@example.org> {START + number * 60} +0000"
        text = f"change {number} {random.Random(number).randbytes(40).hex()}"  # noqa: S311 - same
        lines += [f"commit refs/heads/main\nauthor {who}\ncommitter {who}\ndata {len(text)}\n{text}\n"]
        lines += [f"M 644 inline folder{number % 200}/file\ndata 4\n{number:04}\n"]
    script = tmp_path / "import"
    script.write_text("".join(lines), encoding="ascii")
    with script.open("rb") as file:
        subprocess.run(
            ["git", "fast-import", "--quiet"],
            cwd=made.work,
            stdin=file,
            check=True,
            capture_output=True,
            timeout=60,
        )
    made.git("reset", "-q", "--hard", "main")
    made.git("checkout", "-q", "-b", "release-3.0", "main~20")
    first = made.commit(VERSION="3.0.0\n")
    made.git("tag", "v3.0.0")
    made.commit(MORE="1\n")
    made.publish()
    history = fetch_treeless(made.url, "v3.0.0", "release-3.0", tmp_path / "scratch", 20)
    began = history.branch_began()
    assert began is not None
    assert (began.commit, history.branch_contains_tag()) == (first, True)
    assert history.text_at(first, "VERSION") == "3.0.0\n"
    packed = sum(p.stat().st_size for p in (tmp_path / "scratch").rglob("*.pack"))
    whole = sum(p.stat().st_size for p in made.bare.rglob("*") if p.is_file())
    assert packed < 40_000 < whole


@pytest.mark.parametrize(("url", "allowed"), [("https://h/x", "https"), ("http://h/x", "http:https")])
def test_a_secure_address_may_not_lead_to_an_insecure_one(
    url: str, allowed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "git"
    program.write_text('#!/bin/sh\necho "$GIT_ALLOW_PROTOCOL $*" >&2\nexit 128\n', encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Unreachable, match=rf"{allowed} .*-- {url}"):
        ls_remote_tag(url, "v1", 5)


def test_an_annotated_tag_is_dated_by_its_tagger(repository: Repository, tmp_path: Path) -> None:
    repository.commit(MORE="x\n")
    repository.git("tag", "-a", "-m", "late", "late", "v4.9.3")
    repository.publish()
    late = fetch_treeless(repository.url, "late", "release-3.0", tmp_path / "a", 20).tagged_at()
    light = fetch_treeless(repository.url, "v4.9.3", "release-3.0", tmp_path / "b", 20).tagged_at()
    assert late is not None
    assert light is not None
    assert late.commit == light.commit
    assert (late.at, light.at) == (day(6), day(2))


def test_tag_and_branch_may_be_missing_each(repository: Repository, tmp_path: Path) -> None:
    history = fetch_treeless(repository.url, "v0", "release-3.0", tmp_path / "a", 20)
    assert history.tag is None
    assert history.tagged_at() is None
    assert history.branch_began() is not None
    history = fetch_treeless(repository.url, "v4.9.3", "release-9", tmp_path / "b", 20)
    assert history.tag is not None
    assert history.branch is None
    assert not history.branch_contains_tag()
    assert history.branch_began() is None


def test_where_a_branch_begins(repository: Repository, tmp_path: Path) -> None:
    began = fetch_treeless(repository.url, None, "release-3.0", tmp_path / "a", 20).branch_began()
    repository.git("merge", "-q", "-m", "merge back", "release-3.0")
    repository.git("branch", "fresh")
    repository.git("checkout", "-q", "--orphan", "alien")
    repository.commit(ALIEN="x")
    repository.publish()
    merged = fetch_treeless(repository.url, None, "release-3.0", tmp_path / "b", 20).branch_began()
    assert merged == began
    assert fetch_treeless(repository.url, None, "fresh", tmp_path / "c", 20).branch_began() is None
    assert fetch_treeless(repository.url, None, "main", tmp_path / "d", 20).branch_began() is None
    assert fetch_treeless(repository.url, None, "alien", tmp_path / "e", 20).branch_began() is None


def test_without_a_default_branch_nobody_knows_where_a_branch_began(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("--git-dir", str(repository.bare), "symbolic-ref", "HEAD", "refs/heads/gone")
    history = fetch_treeless(repository.url, "v4.9.3", "release-3.0", tmp_path / "a", 20)
    assert history.branch_began() is None
    assert history.branch_contains_tag()


@pytest.mark.parametrize("filters", [True, False])
def test_a_tree_is_listed_without_its_files(web: Web, tmp_path: Path, *, filters: bool) -> None:
    made = Repository(web, "tree.git", filters=filters)
    made.commit(VERSION="1\n")
    (made.work / "sub").mkdir()
    (made.work / "sub" / "run me").write_text("#!/bin/sh\n", encoding="utf-8")
    (made.work / "sub" / "run me").chmod(0o755)
    (made.work / "link").symlink_to("sub/run me")
    commit = made.commit(VERSION="2\n")
    made.commit(VERSION="3\n")
    made.publish()
    entries = fetch_tree(made.url, commit, tmp_path / "scratch", 20)
    assert {(e.path, e.mode) for e in entries} == {
        ("VERSION", "100644"),
        ("sub/run me", "100755"),
        ("link", "120000"),
    }
    assert {e.blob for e in entries if e.path == "VERSION"} == {
        made.git("rev-parse", f"{commit}:VERSION").strip()
    }


def test_a_commit_that_is_not_there_and_a_repository_that_is_not_there(
    repository: Repository, web: Web, tmp_path: Path
) -> None:
    with pytest.raises(CheckFailed) as caught:
        fetch_tree(repository.url, "1" * 40, tmp_path / "a", 20)
    assert caught.value.code == "commit-missing"
    with pytest.raises(CheckFailed) as caught:
        ls_remote_tag(f"{web.url}/git/nothing.git", "v1", 20)
    assert caught.value.code == "repository-missing"


def test_a_tag_of_something_else_than_a_commit(repository: Repository, tmp_path: Path) -> None:
    repository.git("tag", "blob", repository.git("rev-parse", "v4.9.3:VERSION").strip())
    repository.publish()
    with pytest.raises(CheckFailed) as caught:
        fetch_treeless(repository.url, "blob", "release-3.0", tmp_path / "a", 20)
    assert caught.value.code == "tag-not-a-commit"


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch PWNED;",
        "ext::sh -c id",
        "file:///etc",
        "/etc",
        "git://127.0.0.1/x",
        "ssh://h/x",
        "",
    ],
)
def test_addresses_that_would_run_or_read_something_local(url: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="http:// or https://"):
        ls_remote_tag(url, "v1", 5)
    with pytest.raises(ReleaseError, match="http:// or https://"):
        fetch_tree(url, "1" * 40, tmp_path / "a", 5)


@pytest.mark.parametrize(
    "name", ["", "-v", "a..b", "v*", "v[1]", "a b", "v^{}", "x:y", "a\n", "x.lock", "a@{1}"]
)
def test_names_that_git_would_not_take_literally(name: str) -> None:
    with pytest.raises(ReleaseError, match="no name of a tag"):
        ls_remote_tag("http://127.0.0.1:1/x", name, 5)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ReleaseError, match="must not hold a password") as caught:
        ls_remote_tag("http://me:secret@127.0.0.1:1/x", "v1", 5)
    assert "secret" not in str(caught.value)


def test_settings_of_the_user_do_not_count(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = tmp_path / "home"
    evil.mkdir()
    (evil / ".gitconfig").write_text(
        f'[url "file:///nowhere/"]\n\tinsteadOf = {repository.url}\n', encoding="utf-8"
    )
    monkeypatch.setenv("HOME", str(evil))
    monkeypatch.setenv("GIT_DIR", str(evil))
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    assert ls_remote_tag(repository.url, "v4.9.3", 20) is not None


def test_a_silent_server_a_dead_one_and_one_that_is_no_git(web: Web) -> None:
    def say_nothing(handler: Handler) -> None:
        handler.closing.wait(20)

    web.answers["/silent/info/refs"] = say_nothing
    web.answers["/broken/info/refs"] = lambda h: h.send(b"", 500)
    web.put("page/info/refs", b"<html>hello</html>")
    with pytest.raises(Unreachable, match="did not finish within"):
        ls_remote_tag(f"{web.url}/silent", "v1", 0.3)
    for url in (f"{web.url}/broken", "http://127.0.0.1:1/x"):
        with pytest.raises(Unreachable):
            ls_remote_tag(url, "v1", 20)
    with pytest.raises(CheckFailed) as caught:
        ls_remote_tag(f"{web.url}/page", "v1", 20)
    assert caught.value.code == "repository-empty"


def test_without_git_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReleaseError, match="git is not installed; apt install git"):
        ls_remote_tag("http://127.0.0.1:1/x", "v1", 5)
