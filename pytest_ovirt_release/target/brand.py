"""How a lab is recognised, wherever it is met: detected, never declared."""

from __future__ import annotations

LAB_BRAND = "pytest-ovirt-release lab"
"""Stands in the lab's CA subject, product_info, SSH banner, node facts and OpenPGP user id."""


def is_lab(text: str) -> bool:
    """Return whether a text that came from outside carries the lab's brand."""
    return LAB_BRAND.casefold() in text.casefold()
