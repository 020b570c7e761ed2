"""Readers for the published archives of real datasets, which are treated as untrusted input."""
