"""Bundles: the records behind a report with a manifest of their hashes, as one archive or as plain files."""
