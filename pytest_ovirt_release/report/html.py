"""acceptance.html: one static page that opens from disk and needs neither script nor network."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from pytest_ovirt_release.report import histories, links, said, testers, text, view, words
from pytest_ovirt_release.report.waivers import Waivers

if TYPE_CHECKING:
    from jinja2 import Template

    from pytest_ovirt_release.report.before import Before
    from pytest_ovirt_release.verdict.model import Verdict

FIRST_SCREEN = 200
"""How long a text above or beside the verdict may be, so that the first screen always shows the verdict."""

SHOWN_REASONS = 8
"""How many reasons stand on the first screen; the others are folded below them."""


def render(verdict: Verdict, before: Before | None = None) -> str:
    """Return the whole page, with what changed since `before`; every text that came from outside is escaped."""
    limit = view.text_limit(verdict)

    def brief(value: object) -> str:
        return text.shorten(text.visible(value), limit)

    def short(value: object) -> str:
        return text.shorten(text.visible(value), FIRST_SCREEN)

    def brief_value(value: object) -> str:
        return text.shorten(text.value_text(value), limit)

    return _template().render(
        v=verdict,
        words=words,
        view=view,
        said=said,
        links=links,
        waivers=Waivers(verdict),
        matrix=testers.matrix(verdict),
        history_groups=histories.groups(verdict),
        before=before,
        shown_reasons=SHOWN_REASONS,
        brief=brief,
        short=short,
        brief_value=brief_value,
        style=_style(),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pytest_ovirt_release.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_finalize,
    )
    environment.filters.update(utc=text.utc, duration=text.duration, size=text.size, visible=text.visible)
    return environment.get_template("acceptance.html.j2")


@cache
def _style() -> str:
    sheet = resources.files("pytest_ovirt_release.report").joinpath("templates", "acceptance.css")
    return sheet.read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    """Make deceiving characters visible in every text that goes out; what is marked as safe stays."""
    return text.visible(value) if type(value) is str else value
