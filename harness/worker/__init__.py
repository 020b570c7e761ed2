"""Completes one run: trains from the newest checkpoint, evaluates, and records the results.

The same worker runs in a terminal, as a child of the local executor, under torchrun or in an array task. The run
directory is its only state: it takes the lease, resumes from the newest valid checkpoint, and writes files by rename,
so that it can be killed at any time.
"""
