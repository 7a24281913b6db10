"""Pages that are no documents of the API: the container's error lines, and pages for people."""

from __future__ import annotations

from html import escape

from starlette.responses import Response

HTML = "text/html;charset=UTF-8"


def html(content: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a page with the content type as the container writes it."""
    return Response(content, status, headers, media_type=HTML)


def error_line(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """Return the one-line page that the container answers with."""
    return html(f"<html><head><title>Error</title></head><body>{text}</body></html>", status, headers)


def missing_page(status: int = 404) -> Response:
    """Return the page for what is not there below /ovirt-engine/."""
    title = {404: "404 - Page not found", 405: "405 - Method not allowed"}[status]
    return html(document(title, f"<p>{escape(title)}</p>"), status, {"Content-Language": "en-US"})


def document(title: str, body: str, head: str = "") -> str:
    """Return a whole page; body and head are HTML, the title is text."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title>{head}</head>\n'
        f"<body>{body}</body>\n</html>\n"
    )
