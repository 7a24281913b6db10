"""Benchmarks: what a budget allows, measured as ratios within one run."""
