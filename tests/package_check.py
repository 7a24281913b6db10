"""Run by an isolated Python in which only the built wheel is installed: is all of it there, and does it work?

python -I tests/package_check.py reports/example
"""

from __future__ import annotations

import json
import sys
from importlib import metadata, resources
from pathlib import Path

from jsonschema import Draft202012Validator

import pytest_ovirt_release
from pytest_ovirt_release import schemas
from pytest_ovirt_release.report import github, html, junit, mail, markdown
from pytest_ovirt_release.verdict.model import Verdict


def main(example: Path) -> None:
    """Render the committed example with the installed package and compare."""
    home = Path(pytest_ovirt_release.__file__).parent
    assert "site-packages" in home.parts, f"{home} is not an installed package"
    assert resources.files("pytest_ovirt_release").joinpath("py.typed").is_file()
    content = (example / "verdict.json").read_bytes()
    for name in schemas.FORMATS:
        Draft202012Validator.check_schema(schemas.load(name))
    Draft202012Validator(schemas.load("verdict")).validate(json.loads(content))
    verdict = Verdict.model_validate_json(content)
    for file, text in (
        ("acceptance.html", html.render(verdict)),
        ("announcement.md", markdown.render(verdict)),
        ("announcement.txt", mail.render(verdict)),
        ("github-summary.md", github.summary(verdict)),
        ("github-annotations.txt", "\n".join(github.workflow_commands(verdict)) + "\n"),
        ("junit.xml", junit.render(verdict)),
    ):
        assert text == (example / file).read_text(encoding="utf-8"), f"{file} differs from the example"
    told = metadata.metadata("pytest-ovirt-release").get_all("Classifier") or []
    assert {"Framework :: Pytest", "Typing :: Typed"} <= set(told)
    (entry,) = metadata.entry_points(group="pytest11", name="ovirt_release")
    entry.load()
    sys.stdout.write(f"the installed package renders the example from {home}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
