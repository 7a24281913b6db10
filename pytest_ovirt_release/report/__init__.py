"""A verdict as HTML, Markdown, JUnit, console text, and inside pytest-html's page."""
