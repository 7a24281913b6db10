"""How the release's own scripts are run: nothing goes in, nothing is left, and every end is told apart."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

import pytest

from pytest_ovirt_release.checks import scripts
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unproven
from pytest_ovirt_release.local import processes
from pytest_ovirt_release.local.release_script import ScriptResult, run_script
from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.page import Script, Scripts
from pytest_ovirt_release.target.model import Target

PAGES = Path(__file__).parents[3] / "acceptance" / "releases"


def run(
    folder: Path, text: str, *arguments: str, deadline: float = 20, env: dict[str, str] | None = None
) -> ScriptResult:
    path = folder / "script.sh"
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    script = Script(component="ovirt-engine", command=("{source}/script.sh", *arguments))
    return run_script(script, folder, folder / "out", {"host": "127.0.0.1"}, deadline=deadline, extra_env=env)


def target(*, allowed: bool) -> Target:
    return Target.model_validate(
        {
            "schema": "ovirt-release-target/1",
            "name": "site",
            "run_release_scripts": allowed,
            "engine": {"url": "https://engine/", "ca_file": "ca.pem"},
            "nodes": [
                {
                    "name": "node-1",
                    "address": "192.0.2.1",
                    "storage": "nfs",
                    "ssh": {"address": "192.0.2.1", "host_key": "ssh-ed25519 AAAA"},
                }
            ],
            "storage": {},
        }
    )


def ends_soon(pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 5)[0])
    finally:
        os.close(process)


def test_its_output_and_status_are_told(tmp_path: Path) -> None:
    result = run(tmp_path, 'echo "to $1 for $2"; echo trouble >&2; exit 3', "{out}", "{host}")
    assert (result.status, result.timed_out) == (3, False)
    assert result.output == f"to {tmp_path / 'out'} for 127.0.0.1\ntrouble\n"
    with pytest.raises(CheckFailed, match=r"the script: script\.sh ended with status 3 .* trouble") as failed:
        scripts.require_success(result, "the script", "pki-script-fails")
    assert failed.value.code == "pki-script-fails"


def test_it_gets_a_bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_PASSWORD", "secret")
    monkeypatch.setenv("BASH_ENV", "/nowhere")
    result = run(tmp_path, "env", env={"PGPASSFILE": "/x/pgpass"})
    names = {line.partition("=")[0] for line in result.output.splitlines()}
    assert names <= {"PATH", "HOME", "TMPDIR", "LC_ALL", "PGPASSFILE", "PWD", "SHLVL", "_"}
    assert "PGPASSFILE=/x/pgpass\n" in result.output


def test_its_home_is_a_scratch_folder_that_is_gone_afterwards(tmp_path: Path) -> None:
    home = Path(run(tmp_path, 'touch "$HOME/file" && printf %s "$HOME"').output)
    assert home != Path.home()
    assert not home.exists()


def test_it_cannot_ask_anybody(tmp_path: Path) -> None:
    assert run(tmp_path, "read -r answer || echo nobody; tty").output == "nobody\nnot a tty\n"


def test_the_deadline_ends_it_and_all_it_started(tmp_path: Path) -> None:
    result = run(tmp_path, "sleep 300 & echo $!; wait", deadline=1)
    assert result.timed_out
    assert ends_soon(int(result.output))
    with pytest.raises(CheckFailed, match="was stopped at its deadline") as failed:
        scripts.require_success(result, "the script", "pki-script-fails")
    assert failed.value.code == "pki-script-fails-deadline"


def test_what_it_leaves_running_is_ended_with_it(tmp_path: Path) -> None:
    began = time.monotonic()
    result = run(tmp_path, "sleep 300 & echo $!", deadline=100)
    assert (result.status, result.timed_out) == (0, False)
    assert ends_soon(int(result.output))
    assert time.monotonic() - began < 90


def test_the_pages_deadline_holds_when_it_is_shorter(tmp_path: Path) -> None:
    (tmp_path / "script.sh").write_text("#!/bin/bash\nsleep 300\n")
    (tmp_path / "script.sh").chmod(0o755)
    script = Script(component="ovirt-engine", command=("script.sh",), deadline=1)
    bare = Script(component="ovirt-engine", command=("./script.sh",), deadline=1)
    assert run_script(bare, tmp_path, tmp_path, {}, deadline=100).timed_out
    assert run_script(script, tmp_path, tmp_path, {}, deadline=100).status == 127


def test_a_flood_of_output_keeps_its_head_and_tail(tmp_path: Path) -> None:
    result = run(tmp_path, "echo first; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo last")
    assert result.output.startswith("first\n")
    assert result.output.endswith("\nlast\n")
    assert "bytes cut" in result.output
    assert len(result.output) < 2 * processes.LARGEST_OUTPUT


def test_it_cannot_fill_the_disk(tmp_path: Path) -> None:
    limits = processes.Limits(cpu_seconds=20, file_size=1 << 20)
    command = ["dd", "if=/dev/zero", f"of={tmp_path / 'big'}", "bs=64k", "count=64"]
    done = processes.run(command, deadline=20, env={"PATH": os.environ["PATH"]}, cwd=tmp_path, limits=limits)
    assert done.status != 0
    assert (tmp_path / "big").stat().st_size <= 1 << 20


def test_a_script_that_the_tarball_does_not_hold(tmp_path: Path) -> None:
    script = Script(component="ovirt-engine", command=("{source}/packaging/gone.sh",))
    with pytest.raises(CheckFailed, match=r"ovirt-engine holds no packaging/gone\.sh") as failed:
        run_script(script, tmp_path, tmp_path, {}, deadline=5)
    assert failed.value.code == "script-missing"


@pytest.mark.parametrize("program", ["/bin/true", "{source}/../outside.sh", "../outside.sh"])
def test_a_program_outside_of_the_tarball_is_not_run(tmp_path: Path, program: str) -> None:
    (tmp_path / "outside.sh").write_text("#!/bin/bash\n")
    source = tmp_path / "source"
    source.mkdir()
    script = Script(component="ovirt-engine", command=(program,))
    with pytest.raises(CheckFailed) as failed:
        run_script(script, source, tmp_path, {}, deadline=5)
    assert failed.value.code == "script-outside-tarball"


def test_a_link_out_of_the_tarball_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "script.sh").symlink_to("/bin/true")
    script = Script(component="ovirt-engine", command=("{source}/script.sh",))
    with pytest.raises(CheckFailed) as failed:
        run_script(script, tmp_path, tmp_path, {}, deadline=5)
    assert failed.value.code == "script-outside-tarball"


def test_an_unknown_name_in_the_pages_command(tmp_path: Path) -> None:
    script = Script(component="ovirt-engine", command=("{source}/x.sh", "{hots}"))
    with pytest.raises(ReleaseError, match=r"hots.*known are .*source"):
        run_script(script, tmp_path, tmp_path, {}, deadline=5)


def test_scripts_run_only_where_the_target_file_says_so() -> None:
    scripts.require_permission(target(allowed=True))
    with pytest.raises(Unproven, match="run_release_scripts = false"):
        scripts.require_permission(target(allowed=False))


def test_a_script_is_unproven_where_the_page_names_none(tmp_path: Path) -> None:
    page = load_page(PAGES / "ovirt-4.5.toml")
    bare = page.model_copy(update={"scripts": Scripts()})
    with pytest.raises(Unproven, match=r"page ovirt-4\.5 names no pki script"):
        scripts.release_script("pki", bare, target(allowed=True), lambda _: pytest.fail("not asked"))


@pytest.mark.parametrize(
    ("text", "deadline"),
    [("exit 0", 20), ("exit 1", 20), ("echo it did not work", 20), ("echo x; sleep 300", 1)],
)
def test_a_failure_must_be_an_error_that_says_something(tmp_path: Path, text: str, deadline: float) -> None:
    with pytest.raises(CheckFailed, match="without a database, ") as failed:
        scripts.require_loud_failure(run(tmp_path, text, deadline=deadline), "without a database", "silent")
    assert failed.value.code == "silent"


def test_a_loud_failure_is_what_is_wanted(tmp_path: Path) -> None:
    scripts.require_loud_failure(
        run(tmp_path, "echo no such database; exit 1"), "without a database", "silent"
    )
