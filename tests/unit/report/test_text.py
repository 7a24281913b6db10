"""Texts as people read them."""

from __future__ import annotations

import pytest

from pytest_ovirt_release.report import text


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (None, "not known"),
        ("2012-01-10", "2012-01-10"),
        ("2012-01-10T13:00:00+01:00", "2012-01-10 12:00 UTC"),
        ("2012-01-10T12:00:07", "2012-01-10 12:00:07 UTC"),
        ("some day", "some day"),
    ],
)
def test_moments_are_shown_in_utc(moment: str | None, shown: str) -> None:
    assert text.utc(moment) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.24, "0.2 s"),
        (12.4, "12 s"),
        (59.7, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3720, "1 h 02 min"),
    ],
)
def test_durations_are_shown_as_people_say_them(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("octets", "shown"),
    [(None, ""), (812, "812 bytes"), (2048, "2.0 KiB"), (5 << 20, "5.0 MiB"), (3 << 30, "3.0 GiB")],
)
def test_sizes_have_a_unit(octets: int | None, shown: str) -> None:
    assert text.size(octets) == shown


def test_nested_evidence_becomes_an_outline() -> None:
    value = {
        "seconds": 0.45433572,
        "ok": True,
        "command": {"words": ["a", "b"], "out": "one\ntwo\n"},
        "none": [],
    }
    assert text.value_text(value).split("\n") == [
        "seconds: 0.454",
        "ok: yes",
        "command:",
        "  words: a, b",
        "  out:",
        "    one",
        "    two",
        "none: none",
    ]


def test_long_texts_keep_head_and_tail_and_say_so() -> None:
    short = text.shorten("a" * 50 + "z" * 50, 30)
    assert short.startswith("a" * 20)
    assert short.endswith("z" * 10)
    assert "70 characters in verdict.json" in short


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\x7f", "\u200b", "\u202e", "\u2066", "\ufeff", "\ud800", "\ufffe"]
)
def test_characters_that_deceive_are_written_out(character: str) -> None:
    assert text.visible(f"a{character}b") == f"a\\u{ord(character):04x}b"


def test_ordinary_letters_of_any_language_stay() -> None:
    for ordinary in ("naïve", "הבדיקה", "試験", "a\tb\nc", "✓"):
        assert text.visible(ordinary) == ordinary
