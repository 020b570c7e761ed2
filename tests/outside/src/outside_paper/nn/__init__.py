"""Implementations of the paper's kinds, imported only by workers."""
