"""What this project can be asked to do; `./run NAME` prepares the machine and calls these."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests", "rehearsal"]
nox.options.error_on_external_run = True

ROOT = Path(__file__).parent
CODE = ("pytest_ovirt_release", "acceptance", "bench", "tests", "conftest.py", "noxfile.py")


def python(session: nox.Session, *arguments: str) -> None:
    """Run the environment's own Python, with its programs on PATH, wherever nox was started from."""
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    session.run(sys.executable, *arguments, env={"PATH": path}, external=True)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Formatting, style and types."""
    python(session, "-m", "ruff", "check", *CODE)
    python(session, "-m", "ruff", "format", "--check", *CODE)
    python(session, "-m", "mypy", *session.posargs)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """Lint, and the tests of the plugin itself but for the long ones, which are a session of their own."""
    if not session.posargs:
        lint(session)
    _pytest(session, "not long")


@nox.session(venv_backend="none")
def long(session: nox.Session) -> None:
    """Tests that do at length what others of their kind do in short."""
    _pytest(session, "long")


def _pytest(session: nox.Session, which: str) -> None:
    # Half of the time is spent waiting for a lab, so two at once even on two cores.
    workers = ("-n", "2", "--dist", "worksteal")
    python(session, "-m", "pytest", "tests", "-m", which, *workers, *session.posargs)


@nox.session(venv_backend="none")
def rehearsal(session: nox.Session) -> None:
    """Every requirement of the release page, judged on the embedded lab."""
    report = ("--tb=short", "--html=reports/pytest.html", "--self-contained-html")
    python(session, "-m", "pytest", "--release-target", "lab", "-n", "2", *report, *session.posargs)


@nox.session(venv_backend="none")
def controls(session: nox.Session) -> None:
    """Every fault of the lab: each must disprove exactly what its table row names."""
    python(session, "tests/controls/run.py", *session.posargs)


@nox.session(venv_backend="none")
def chaos(session: nox.Session) -> None:
    """Fifty kills and outages in mid-cycle, by a seed; `-- --sample 4 --seed 7` tries four others."""
    python(session, "-m", "tests.chaos.run", "chaos", *session.posargs)


@nox.session(venv_backend="none")
def walk(session: nox.Session) -> None:
    """Kill -9 of worker, controller and both at every step of the cycle; takes about an hour."""
    python(session, "-m", "tests.chaos.run", "walk", *session.posargs)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Budgets as ratios within one run, about twelve minutes; `-- --quick` takes about two."""
    for name in ("verdict", "lab", "artefacts", "cycle", "report"):
        python(session, "-m", f"bench.{name}", *session.posargs)


@nox.session(venv_backend="none")
def times(session: nox.Session) -> None:
    """How long the lab's hosts, storage and VMs take at a real engine's pace, against a real one; about ten minutes."""
    python(session, "-m", "tests.lab.contract.timing", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build; a warning, such as of a link that leads nowhere, is an error."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    session.install(*groups["docs"])
    # -n: references are checked too. Nothing is fetched: no page asks for an inventory of another site.
    session.run(
        "sphinx-build",
        "-q",
        "-W",
        "--keep-going",
        "-n",
        "-E",
        "-b",
        "html",
        "docs",
        "docs/_build",
        *session.posargs,
    )


@nox.session
def package(session: nox.Session) -> None:
    """Build wheel and sdist, install the wheel elsewhere, and use it from there."""
    out = Path(session.create_tmp()).resolve()
    for old in (*out.glob("*.whl"), *out.glob("*.tar.gz")):
        old.unlink()
    session.install("build", "twine")
    # Without --wheel or --sdist the wheel is built from the sdist, which proves the sdist complete.
    session.run("python", "-m", "build", "--outdir", str(out), str(ROOT))
    (wheel,) = out.glob("*.whl")
    # What an index would refuse: metadata, and a README that it could not show.
    session.run(
        "twine", "check", "--strict", *(str(path) for path in sorted(out.glob("pytest_ovirt_release-*")))
    )
    session.install(str(wheel), "jsonschema")
    # Where the environment is used again, pip takes a wheel of the same version for the one it has.
    session.install("--force-reinstall", "--no-deps", str(wheel))
    session.chdir(out)
    session.run("python", "-I", str(ROOT / "tests" / "package_check.py"), str(ROOT / "reports" / "example"))
    session.run("ovirt-release", "--help", silent=True)


@nox.session
def minimums(session: nox.Session) -> None:
    """The unit tests with the oldest versions that pyproject.toml allows."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, groups = whole["project"], whole["dependency-groups"]
    extras = project["optional-dependencies"]
    asked = [Requirement(text) for text in (*project["dependencies"], *extras["live"], *extras["lab"])]
    oldest = [f"{r.name}=={s.version}" for r in asked for s in r.specifier if s.operator == ">="]
    session.install(*oldest, "--editable", f"{ROOT}[lab]", *groups["tests"])
    # The oldest typing-extensions comes with an anyio whose plugin for pytest warns of pytest 9.2; nothing here needs it.
    # By the environment, so that every pytest that a test starts hears of it.
    env = {"PYTEST_ADDOPTS": "-p no:anyio"}
    session.run("python", "-m", "pytest", "tests/unit", *session.posargs, env=env)


@nox.session
def mutation(session: nox.Session) -> None:
    """Break the verdict's rules one by one; each mutant that survives is a test that is missing. Takes an hour."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    session.install("mutmut>=3.8", *groups["tests"], "--editable", str(ROOT))
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "results")


@nox.session(venv_backend="none")
def full(session: nox.Session) -> None:
    """Everything that can be run without hardware."""
    for name in ("tests", "long", "rehearsal", "controls", "times", "docs", "chaos", "walk", "package"):
        session.notify(name)
