"""Papers as data: tables and figures, rows, claims, metrics, scales and tolerances. Imports no torch."""
