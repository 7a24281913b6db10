"""Options, ini keys and environment variables: described once, here; the docs print this table."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Option:
    """One command line option; `env` names the environment variable that it beats."""

    name: str
    help: str
    metavar: str | None = None
    env: str | None = None
    action: str = "store"
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Ini:
    """One ini key."""

    name: str
    help: str
    default: str


OPTIONS = (
    Option(
        "target",
        "What is under test: `lab` for the embedded lab, or a target file (TOML) naming engine, nodes and storage",
        metavar="lab|FILE",
        env="RELEASE_TARGET",
    ),
    Option("candidate", "The candidate file (TOML); default: the one that the target names", metavar="FILE"),
    Option(
        "waivers",
        "The waiver file (TOML); default: waivers.toml beside the project file, if it is there",
        metavar="FILE",
    ),
    Option(
        "fault",
        "Let the lab break one thing on purpose; may be repeated; implies the lab",
        "NAME",
        action="append",
    ),
    Option("tester", "Who runs this; required when the target is not the lab", "NAME", env="RELEASE_TESTER"),
    Option(
        "database",
        "A PostgreSQL server for the release's database script; default: an embedded one; its user needs CREATEDB and "
        "CREATEROLE, the password comes from PGPASSWORD",
        metavar="URL",
        env="RELEASE_DATABASE",
    ),
    Option(
        "logs",
        "When to fetch events, jobs and excerpts of logs from engine and nodes: after each failure (the default), or "
        "`always`",
        metavar="failure|always",
        choices=("failure", "always"),
    ),
    Option(
        "allow-changes",
        "Let a live run create, approve and remove objects on the engine under test",
        action="store_true",
    ),
)

INI = (
    Ini("release_suite", "Folder of the acceptance tests; collecting from it is release mode", ""),
    Ini("release_pages", "Folder of the release pages (TOML)", ""),
    Ini("release_reports", "Folder that runs are recorded in", "reports"),
    Ini("release_target", "Default target (see --release-target)", ""),
    Ini("release_lab_speed", "How many times faster than a real engine the lab's own waits are", "20"),
)


@dataclass(frozen=True)
class Settings:
    """All settings of one pytest run, with the option beating the environment beating the ini file."""

    root: Path
    suite: Path | None
    pages: Path
    reports: Path
    target: str | None
    candidate: Path | None = None
    waivers: Path | None = None
    faults: tuple[str, ...] = ()
    tester: str | None = None
    database: str | None = None
    allow_changes: bool = False
    lab_speed: str = "20"
    arguments: tuple[str, ...] = field(default=())

    def again(self) -> tuple[str, ...]:
        """Return the options that a command needs to run on the same target again, none of them secret."""
        given = (
            ("--release-target", self.target),
            ("--release-candidate", self.candidate),
            ("--release-waivers", self.waivers),
            ("--release-tester", self.tester),
        )
        words = [word for name, value in given if value for word in (name, str(value))]
        return (*words, "--release-allow-changes") if self.allow_changes else tuple(words)


def add_options(parser: pytest.Parser) -> None:
    """Add every option and ini key to pytest's parser."""
    group = parser.getgroup("ovirt-release", "oVirt release acceptance")
    for option in OPTIONS:
        text = option.help + (f" (environment: {option.env})" if option.env else "")
        words: dict[str, Any] = {
            "action": option.action,
            "dest": f"release_{option.name.replace('-', '_')}",
            "help": text,
        }
        if option.action != "store_true":
            words |= {"metavar": option.metavar or "VALUE", "default": None, "choices": option.choices}
        group.addoption(f"--release-{option.name}", **words)
    for ini in INI:
        parser.addini(ini.name, ini.help, default=ini.default)


def read_settings(config: pytest.Config) -> Settings:
    """Collect the settings of this run."""

    def value(name: str) -> str | None:
        option = next(o for o in OPTIONS if o.name == name)
        given = config.getoption(f"release_{name.replace('-', '_')}")
        return str(given) if given else os.environ.get(option.env or "") or None

    root = config.rootpath
    suite = str(config.getini("release_suite"))
    candidate, waivers = value("candidate"), value("waivers")
    faults = tuple(config.getoption("release_fault") or ())
    default_target = str(config.getini("release_target")) or None
    return Settings(
        root=root,
        suite=Path(os.path.normpath(root / suite)) if suite else None,
        pages=root / str(config.getini("release_pages")),
        reports=root / str(config.getini("release_reports")),
        target=value("target") or ("lab" if faults else None) or default_target or _beside(root),
        candidate=config.invocation_params.dir / candidate if candidate else None,
        waivers=config.invocation_params.dir / waivers if waivers else None,
        faults=faults,
        tester=value("tester"),
        database=value("database"),
        allow_changes=bool(config.getoption("release_allow_changes")),
        lab_speed=str(config.getini("release_lab_speed")),
        arguments=tuple(str(a) for a in config.invocation_params.args),
    )


def options_without_a_suite(config: pytest.Config) -> str | None:
    """Return what to do when release options are given where no suite is configured, or nothing when none is."""
    given = [o.name for o in OPTIONS if config.getoption(f"release_{o.name.replace('-', '_')}")]
    if not given:
        return None
    where = f"rootdir is {config.rootpath}, its settings are in {config.inipath or 'no file'}"
    return (
        f"--release-{given[0]} is given, but no release_suite is configured, so nothing would be judged: {where}. "
        "Run pytest in the release project; a file outside it is named with =, as in --release-target=/etc/target.toml"
    )


def _beside(root: Path) -> str | None:
    """Return the target file that lies beside the project file, if there is one."""
    return "target.toml" if (root / "target.toml").is_file() else None


def is_release_mode(settings: Settings, arguments: list[str], where: Path) -> bool:
    """Return whether at least one path to be collected lies under the suite, or holds it."""
    if settings.suite is None:
        return False
    suite = settings.suite.resolve()
    for argument in arguments:
        path = (where / argument.split("::")[0]).resolve()
        if path == suite or suite in path.parents or path in suite.parents:
            return True
    return False
