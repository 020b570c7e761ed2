"""Training methods, one per module."""
