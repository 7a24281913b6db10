"""`./run` on machines that lack this and that: what it says, what it installs, and that it does so once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAIN = ("sh", "dirname", "cat", "cksum", "env", "rm", "mkdir", "chmod", "tr")
PYTHON = f"""#!/bin/sh
if [ "${{1-}}" = -m ] && [ "${{2-}}" = venv ]; then
    mkdir -p "$3/bin"
    for name in python nox; do
        printf '#!/bin/sh\\necho %s "$@" >>"$LOG"\\n' "$name" >"$3/bin/$name"
        chmod +x "$3/bin/$name"
    done
    echo "venv $3" >>"$LOG"
    exit
fi
exec {sys.executable} "$@"
"""


@dataclass
class Machine:
    """A checkout, and a PATH on which only the named programs are."""

    checkout: Path
    programs: Path
    log: Path

    def add(self, name: str, script: str = 'echo "$0" "$@" >>"$LOG"') -> None:
        """Put a program on the machine."""
        path = self.programs / name
        path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Type ./run on it, as somebody who cannot be asked anything."""
        return subprocess.run(
            ["./run", *arguments],
            cwd=self.checkout,
            env={"PATH": str(self.programs), "HOME": str(self.checkout), "LOG": str(self.log), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def done(self) -> list[str]:
        """What was called, in order."""
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine of an ordinary user, without package manager, gpg or sudo."""
    made = Machine(tmp_path / "checkout", tmp_path / "programs", tmp_path / "log")
    made.checkout.mkdir()
    made.programs.mkdir()
    for name in ("run", "noxfile.py"):
        shutil.copy(ROOT / name, made.checkout / name)
    (made.checkout / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    for name in PLAIN:
        found = shutil.which(name)
        assert found is not None
        (made.programs / name).symlink_to(found)
    for name in ("git", "openssl", "gcc", "rpmbuild", "rpmsign", "chromium"):
        made.add(name)
    made.add("python3", PYTHON)
    made.add("id", "echo 1000")
    return made


def needs_headers() -> None:
    """Skip where the machine that runs these tests has no headers itself; the script looks for real files."""
    for header in ("/usr/include/stdio.h", "/usr/include/libxml2/libxml/xmlreader.h"):
        if not Path(header).exists():
            pytest.skip(f"{header} is not installed")


@pytest.mark.parametrize(
    ("manager", "expected"),
    [
        ("apt-get", "apt-get install --yes --no-install-recommends gnupg"),
        ("dnf", "dnf install --assumeyes gnupg2"),
    ],
)
def test_who_may_not_install_gets_the_command_to_type(machine: Machine, manager: str, expected: str) -> None:
    needs_headers()
    machine.add(manager)
    result = machine.run("tests")
    assert result.returncode == 2
    assert "signatures are judged by it" in result.stderr
    (command,) = result.stdout.splitlines()
    assert command.endswith(expected)
    assert machine.done == []


@pytest.mark.parametrize(
    ("name", "packages"),
    [("rehearsal", "gnupg"), ("tests", "gnupg rpm chromium"), ("full", "gnupg rpm chromium qemu-system-x86")],
)
def test_each_session_asks_for_what_it_runs_and_no_more(machine: Machine, name: str, packages: str) -> None:
    needs_headers()
    machine.add("apt-get")
    for program in ("rpmbuild", "chromium"):
        (machine.programs / program).unlink()
    (command,) = machine.run(name).stdout.splitlines()
    assert command.split("--no-install-recommends ")[1] == packages


def test_installing_can_be_forbidden(machine: Machine) -> None:
    needs_headers()
    machine.add("apt-get")
    machine.add("id", "echo 0")
    result = machine.run("tests", OVIRT_RELEASE_INSTALL="no")
    assert result.returncode == 2
    assert "apt-get install" in result.stdout
    assert machine.done == []


def test_root_installs_without_sudo_sets_up_once_and_starts_nox(machine: Machine) -> None:
    needs_headers()
    machine.add("apt-get")
    machine.add("sudo")
    machine.add("id", "echo 0")
    result = machine.run("tests", "--", "-k", "one or two")
    assert result.returncode == 0, result.stderr
    assert [os.path.basename(line) for line in machine.done] == [  # noqa: PTH119 - these are command lines
        "apt-get update",
        "apt-get install --yes --no-install-recommends gnupg",
        "venv .venv",
        "python -m pip install --quiet --upgrade pip>=25.1",
        "python -m pip install --quiet --editable .[lab] --group dev",
        "nox -s tests -- -k one or two",
    ]
    machine.add("gpg")
    machine.log.unlink()
    assert machine.run("rehearsal").returncode == 0
    assert machine.done == ["nox -s rehearsal --"]


def test_a_changed_pyproject_sets_up_again(machine: Machine) -> None:
    needs_headers()
    machine.add("gpg")
    machine.run("tests")
    machine.log.unlink()
    (machine.checkout / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    machine.run("tests")
    assert "python -m pip install --quiet --editable .[lab] --group dev" in machine.done


def test_others_use_sudo(machine: Machine) -> None:
    needs_headers()
    machine.add("apt-get")
    machine.add("sudo", 'echo sudo "$@" >>"$LOG"')
    machine.run("tests")
    assert machine.done[:2] == [
        "sudo -n true",
        "sudo env DEBIAN_FRONTEND=noninteractive sh -c apt-get update && apt-get install --yes --no-install-recommends gnupg",
    ]


def test_a_failed_installation_is_said_with_the_command(machine: Machine) -> None:
    needs_headers()
    machine.add("apt-get", "exit 100")
    machine.add("id", "echo 0")
    result = machine.run("tests")
    assert result.returncode == 2
    assert "apt-get install" in result.stdout


def test_without_a_package_manager_the_packages_are_named(machine: Machine) -> None:
    needs_headers()
    result = machine.run("tests")
    assert result.returncode == 2
    assert "neither apt-get nor dnf is here" in result.stderr
    assert "gnupg" in result.stderr


def test_an_old_python_is_refused(machine: Machine) -> None:
    machine.add("python3", "exit 1")
    result = machine.run("tests")
    assert result.returncode == 2
    assert "no Python 3.11 or newer" in result.stderr


def test_an_unknown_session_is_refused_before_anything_is_set_up(machine: Machine) -> None:
    machine.add("apt-get")
    machine.add("id", "echo 0")
    result = machine.run("rehersal")
    assert result.returncode == 2
    assert result.stderr.startswith(
        "run: there is no session rehersal; there are: lint tests long rehearsal "
    )
    assert machine.done == []


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--help",), 0), (("--wrong",), 2)])
def test_usage_is_told(machine: Machine, arguments: tuple[str, ...], code: int) -> None:
    result = machine.run(*arguments)
    assert "./run rehearsal" in result.stdout + result.stderr
    assert result.returncode == code


def test_only_the_tests_ask_for_rpm(machine: Machine) -> None:
    machine.add("gpg")
    machine.add("dnf")
    (machine.programs / "rpmsign").unlink()
    assert "dnf install --assumeyes rpm-build rpm-sign" in machine.run("tests").stdout
    assert machine.run("rehearsal").returncode == 0
