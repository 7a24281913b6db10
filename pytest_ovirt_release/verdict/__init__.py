"""Journals to verdict: one pure decision, from which everything a person or a machine reads is rendered."""
