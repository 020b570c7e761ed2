"""What a paper says: its tables and figures, rows, claims, metrics, scales and tolerances. Imports no torch."""
