"""Networks for tables and sequences, written for no framework in particular."""
