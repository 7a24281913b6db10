"""What happened, written as it happens: pytest's reports and evidence into the run's journal, redacted."""
