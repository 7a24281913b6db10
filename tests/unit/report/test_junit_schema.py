"""junit.xml is what Jenkins' own schema allows: the one that pytest's junit.xml is held against too.

`schema/junit-10.xsd` is of the xUnit plugin of Jenkins (MIT, see its head).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xmlschema

from pytest_ovirt_release.report import junit

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict

FOLDER = Path(__file__).parents[3] / "reports" / "example"


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """The schema, read from this repository alone."""
    return xmlschema.XMLSchema(str(Path(__file__).parent / "schema" / "junit-10.xsd"), allow="local")


@pytest.mark.parametrize("name", ["go", "no_go", "conditional", "invalid", "hostile", "huge"])
def test_whatever_the_verdict_the_file_is_valid(
    schema: xmlschema.XMLSchema, name: str, request: pytest.FixtureRequest
) -> None:
    verdict: Verdict = request.getfixturevalue(name)
    schema.validate(junit.render(verdict))


@pytest.mark.parametrize("folder", [".", "no-go", "conditional"])
def test_the_committed_examples_are_valid(schema: xmlschema.XMLSchema, folder: str) -> None:
    schema.validate((FOLDER / folder / "junit.xml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<testcase classname", "<testcase kind"),
        ("<testsuite name", "<testsuite title"),
        (" tests=", " number="),
        ("<system-out>", "<properties /><system-out>"),
        ("<failure ", "<failed /><failure "),
    ],
)
def test_the_schema_refuses_what_build_servers_would_not_read(
    schema: xmlschema.XMLSchema, no_go: Verdict, old: str, new: str
) -> None:
    good = junit.render(no_go)
    assert old in good
    assert not schema.is_valid(good.replace(old, new))
