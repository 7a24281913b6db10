"""A line of the journal is the same whether it was written the quick or the careful way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ovirt_release.record import journal
from pytest_ovirt_release.record.redact import Redactor

SECRETS = ("s3cret pass/word", 'quo"te\\d', "gehe\u0131m", "passed", "1234")
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(SECRETS).flatmap(
        lambda s: st.sampled_from([s, f"x{s}y", repr(s), json.dumps(s), ascii(s)])
    ),
)
FLAT = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(), st.floats())
VALUES = st.one_of(
    FLAT, st.lists(FLAT, max_size=2), st.dictionaries(TEXTS, FLAT, max_size=2), st.binary(max_size=4)
)


@given(
    record=st.dictionaries(st.sampled_from(["kind", "nodeid", "message", "duration"]), VALUES),
    secrets=st.sets(st.sampled_from(SECRETS)),
)
@example(record={"outcome": "passed"}, secrets={"passed"})
@example(record={"duration": 0.1234}, secrets={"1234"})
@example(record={"nodeid": "\ud800"}, secrets=set())
@example(record={"message": "x" * (journal.LARGEST_TEXT + 1)}, secrets=set())
@example(record={"message": float("nan")}, secrets=set())
@example(record={"message": Path("a/b")}, secrets=set())
def test_the_quick_way_says_what_the_careful_way_says(record: dict[str, object], secrets: set[str]) -> None:
    redact = Redactor()
    for secret in sorted(secrets):
        redact.add(secret)
    line = journal._line(record, redact)
    assert json.loads(line) == json.loads(json.dumps(journal.plain(record, redact)))
    assert line.endswith("\n")
    assert line.count("\n") == 1


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_in_a_line(secret: str) -> None:
    redact = Redactor()
    redact.add(secret)
    told = json.loads(journal._line({"message": f"before {secret} after"}, redact))
    assert told == {"message": "before *** after"}


def test_most_lines_are_written_the_quick_way() -> None:
    record = {
        "kind": "report",
        "nodeid": "t.py::test[a]",
        "when": "call",
        "outcome": "passed",
        "duration": 0.1,
    }
    assert journal._unchanged(record) is not None
