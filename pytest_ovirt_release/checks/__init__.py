"""The probes that tests are written with; they know nothing of verdicts."""
