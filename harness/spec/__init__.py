"""Specifications: papers, tables, rows, runs, scales and claims as frozen, typed objects. Imports no torch."""
