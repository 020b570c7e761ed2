"""Comparison of two result sets: significance cell by cell, and the parameters that differ."""
