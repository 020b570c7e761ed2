"""Networks for tables and sequences, independent of the harness."""
