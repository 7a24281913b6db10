"""Pages that are no documents of the API: the container's error lines and the lab's own front page."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse, Response

from pytest_ovirt_release.target.brand import LAB_BRAND


def error_line(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """Return the one-line page that the container answers with."""
    body = f"<html><head><title>Error</title></head><body>{text}</body></html>"
    return HTMLResponse(body, status, headers)


def plain(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """Return a bare text that is called HTML, as RESTEasy does."""
    return HTMLResponse(text, status, headers)


def missing_page(status: int = 404) -> Response:
    """Return the page for what is not there below /ovirt-engine/."""
    title = {404: "404 - Page not found", 405: "405 - Method not allowed"}[status]
    return HTMLResponse(_page(title, title), status, {"Content-Language": "en-US"})


def front() -> Response:
    """Return the lab's front page: says what this is."""
    text = f"This is no oVirt engine: it is the {LAB_BRAND}. Its API is at /ovirt-engine/api."
    return HTMLResponse(_page(LAB_BRAND, text))


def _page(title: str, text: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title></head>\n'
        f"<body><p>{escape(text)}</p></body>\n</html>\n"
    )
