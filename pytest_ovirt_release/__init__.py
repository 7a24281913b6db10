"""Judge an oVirt release: the release page's MUSTs and SHOULDs as pytest tests, rolled into one verdict."""

__version__ = "0.1.0"
