"""Everything a person or a machine reads is rendered here from one `Verdict`; nothing is decided here."""
