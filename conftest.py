"""Only what pytest wants to see at the root: its own test tool for plugins."""

from __future__ import annotations

pytest_plugins = ["pytester"]
