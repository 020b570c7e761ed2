"""From records to tables, claims and files."""
