"""A small release project to run pytest in: its own page, candidate and target, and whatever tests are given."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from pytest_ovirt_release import record, release, report, verdict
from pytest_ovirt_release.verdict.controls import digest_of

# pytester forgets what a test has imported, and a class that is imported twice is two classes: import it all now.
for package in (record, release, report, verdict):
    for module in iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)

PAGE = """
schema = "ovirt-release-page/1"
id = "{page}"
title = "oVirt 9.9"
product = "oVirt"
version = "9.9"
engine = ">=4.5"
release_date = 2026-12-01
requirements = [
{requirements}
]
[source]
uri = "https://example.test/page"
title = "A page"
sha256 = "{zero}"
[[components]]
name = "vdsm"
repository = "https://example.test/vdsm.git"
tag = "v{{version}}"
branch = "b"
tarball = "https://example.test/vdsm.tar.gz"
signature = "https://example.test/vdsm.tar.gz.sig"
notes = "https://example.test/vdsm.md"
"""

REQUIREMENT = '  {{ id = "{id}", level = "{level}", title = "{title}", section = "S", line = 1, sha256 = "{zero}", proof = "p"{more} }},'
REQUIREMENTS = {
    "alpha": ("must", "Alpha holds", ""),
    "beta": ("must", "Beta holds", ', axis = "component", needs = ["alpha"]'),
    "gamma": ("should", "Gamma holds", ""),
}

CANDIDATE = """
schema = "ovirt-release-candidate/1"
page = "{page}"
version = "9.9"
created = 2026-11-22T12:00:00Z
[[components]]
name = "vdsm"
version = "4.9"
tag = "v4.9"
commit = "{commit}"
"""

TARGET = """
schema = "ovirt-release-target/1"
name = "staging"
candidate = "candidate.toml"
[engine]
url = "https://127.0.0.1:9/ovirt-engine/api"
ca_file = "ca.pem"
password_file = "engine.password"
[[nodes]]
name = "node-1"
address = "127.0.0.2"
storage = "local"
[nodes.ssh]
address = "127.0.0.2"
host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEEdZ1yNwCkQbZV6zRVTwi8Bd2f8KXcPnbA2Q0OHdJLn"
key_file = "key"
[storage]
local_path = "/data/images"
"""

PROJECT = """
[tool.pytest]
strict = true
testpaths = ["acceptance"]
release_suite = "acceptance"
release_pages = "pages"
release_reports = "reports"
"""

GOOD = '''
import pytest

@pytest.mark.must("alpha")
def test_alpha():
    """Alpha holds."""

@pytest.mark.must("beta")
def test_beta(component):
    """Beta holds for each component."""

@pytest.mark.should("gamma")
def test_gamma():
    """Gamma holds."""
'''

PASSWORD = "s3cret pass/word"


@dataclass
class Project:
    """A release project under pytester; `run` runs pytest in it and `verdict` reads what it left."""

    pytester: pytest.Pytester
    cached: bool = False
    """Whether pytest keeps its cache, which `--lf` and its like go by."""

    @property
    def root(self) -> Path:
        return self.pytester.path

    def musts(self) -> dict[str, str]:
        """Return the title of each must of the page."""
        page = tomllib.loads((self.root / "pages" / "page-1.toml").read_text())
        return {r["id"]: r["title"] for r in page["requirements"] if r["level"] == "must"}

    def page(self, requirements: Mapping[str, tuple[str, str, str]]) -> None:
        """Write the release page: level, title and further keys of each requirement."""
        zero = "0" * 64
        rows = [
            REQUIREMENT.format(id=name, level=level, title=title, zero=zero, more=more)
            for name, (level, title, more) in requirements.items()
        ]
        text = PAGE.format(page="page-1", zero=zero, requirements="\n".join(rows))
        (self.root / "pages" / "page-1.toml").write_text(text)

    def suite(
        self, source: str, *, controlled: bool = True, requirements: Iterable[str] = REQUIREMENTS
    ) -> None:
        """Write the acceptance tests, and the controls that make their checks known to fail."""
        path = self.root / "acceptance" / "test_all.py"
        path.write_text(source)
        package = Path(__file__).parents[2] / "pytest_ovirt_release"
        digest = digest_of([path], package)
        entry = {"faults": ["some-fault"], "digest": digest}
        known = dict.fromkeys(requirements, entry) if controlled else {}
        (path.parent / "controls.json").write_text(
            json.dumps({"schema": "ovirt-release-controls/1", "requirements": known})
        )

    def run(self, *args: str) -> pytest.RunResult:
        """Run pytest in a process of its own against the target file, as a tester would."""
        live = ["--release-target", "target.toml", "--release-tester", "tess", "--release-allow-changes"]
        return self.bare(*live, *args)

    def bare(self, *args: str) -> pytest.RunResult:
        """Run pytest with just these arguments."""
        cache = () if self.cached else ("-p", "no:cacheprovider")
        return self.pytester.runpytest_subprocess(*cache, *args, timeout=60)

    def folder(self) -> Path:
        """Return the newest run folder."""
        return (self.root / "reports" / "latest").resolve()

    def verdict(self) -> dict[str, Any]:
        """Return the newest verdict.json."""
        data: dict[str, Any] = json.loads((self.folder() / "verdict.json").read_text())
        return data

    def states(self) -> dict[str, str]:
        """Return the state of every cell in the newest verdict."""
        return {c["id"]: c["state"] for r in self.verdict()["requirements"] for c in r["cells"]}


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose tests all pass."""
    monkeypatch.delenv("RELEASE_TARGET", raising=False)
    monkeypatch.delenv("RELEASE_TESTER", raising=False)
    root = pytester.path
    (root / "pyproject.toml").write_text(PROJECT)
    for folder in ("acceptance", "pages"):
        (root / folder).mkdir()
    (root / "candidate.toml").write_text(CANDIDATE.format(page="page-1", commit="1" * 40))
    (root / "target.toml").write_text(TARGET)
    (root / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (root / "key").write_text("key\n")
    (root / "engine.password").write_text(PASSWORD)
    (root / "engine.password").chmod(0o600)
    made = Project(pytester)
    made.page(REQUIREMENTS)
    made.suite(GOOD)
    return made
