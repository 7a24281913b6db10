"""The engine's refusals: status, reason and detail, in its own words (recorded unless a line says otherwise)."""

from __future__ import annotations

BAD_REQUEST = 400
NOT_FOUND = 404
CONFLICT = 409
NOT_IMPLEMENTED = 501

FAILED = "Operation Failed"
NOTHING_SAID = "[]"


class Fault(Exception):  # noqa: N818 - the API's word for it
    """An answer that is not success. `bare`: not wrapped in `<action>` though an action was asked for."""

    def __init__(
        self, status: int, detail: str | None, reason: str | None = FAILED, *, bare: bool = False
    ) -> None:
        """Take HTTP status, detail as it is written (brackets included), reason."""
        self.status = status
        self.detail = detail
        self.reason = reason
        self.bare = bare
        super().__init__(f"{status} {reason}: {detail}")


class NoSuchObject(Exception):  # noqa: N818 - an answer, not a mistake
    """An id that nobody has: 404 without a body."""


class Page(Exception):  # noqa: N818 - an answer, not a mistake
    """An answer that is a page or plain text, not a document of the API."""

    def __init__(self, status: int, text: str) -> None:
        """Take HTTP status and body."""
        self.status = status
        self.text = text
        super().__init__(text)


def refuse(status: int, text: str, *, bare: bool = False) -> Fault:
    """Return a business fault; its detail is a list, hence the brackets."""
    return Fault(status, f"[{text}]", bare=bare)


def conflict(text: str) -> Fault:
    """Return 409 with a text."""
    return refuse(CONFLICT, text)


def bad(text: str) -> Fault:
    """Return 400 with a text."""
    return refuse(BAD_REQUEST, text)


def nothing_said() -> Fault:
    """Return the 400 with an empty list that a command gives when only an event says why."""
    return Fault(BAD_REQUEST, NOTHING_SAID)


def incomplete(kind: str, missing: list[str], method: str = "add") -> Fault:
    """Return the fault for absent fields, first style (hosts, vms, disks, storage domains)."""
    return Fault(BAD_REQUEST, f"{kind} [{', '.join(missing)}] required for {method}", "Incomplete parameters")


def mandatory(parameter: str) -> Fault:
    """Return the fault for an absent field, second style (data centers, clusters)."""
    return Fault(
        BAD_REQUEST, f"Parameter '{parameter}' is mandatory but was not provided.", "Input validation failed."
    )


def mandatory_pair(one: str, other: str) -> Fault:
    """Return the fault for two absent fields of which one is needed."""
    return Fault(
        BAD_REQUEST,
        f"Parameters '{one}' or '{other}' are mandatory but both were not provided.",
        "Input validation failed.",
    )


def malformed(usage: str) -> Fault:
    """Return the fault for a body that cannot be read."""
    return Fault(BAD_REQUEST, f"For correct usage, see: {usage}", "Request syntactically incorrect.")


def not_a_boolean(text: str) -> Fault:
    """Return the fault for a boolean that is none."""
    return Fault(
        BAD_REQUEST,
        f'Value "{text}" isn\'t a valid boolean, it should be "true" , "false", "0" or "1"',
        "Invalid value",
    )


def not_a_member(text: str, kind: str, values: tuple[str, ...]) -> Fault:
    """Return the fault for a value outside an enumeration."""
    listed = ", ".join(f"'{value}'" for value in values)
    return Fault(
        BAD_REQUEST,
        f"The string '{text}' isn't a valid value for the '{kind}' enumerated type. Valid values are: {listed}.",
        "Invalid value",
    )


def entity_not_found(what: str) -> Fault:
    """Return the fault for a reference by name that leads nowhere; never wrapped in an action."""
    return Fault(NOT_FOUND, f"Entity not found: {what}", bare=True)


def not_implemented(operation: str) -> Fault:
    """Return the lab's own fault for what it does not do."""
    return Fault(NOT_IMPLEMENTED, f"{operation} is not implemented by this lab", "Not implemented", bare=True)
