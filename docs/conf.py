"""Settings of the documentation: `nox -s docs` builds it, without any network."""

project = "pytest-ovirt-release"
author = "the pytest-ovirt-release contributors"
copyright = "the pytest-ovirt-release contributors, Apache-2.0"  # noqa: A001 - Sphinx reads this name
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = project
exclude_patterns = ["_build"]
nitpicky = True
