"""The results directory: run directories, records, leases and provenance. Imports no torch."""
