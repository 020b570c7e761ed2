"""Bundles: the records behind a report, with what they are and their hashes, as one archive or as plain files."""
