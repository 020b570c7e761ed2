"""One run, from wherever it stopped to its end: train, evaluate, record.

The same worker runs in a terminal, as a child of the local executor, under torchrun or in an array task. It trusts
nothing but the run directory: it takes the lease, resumes from the newest valid checkpoint, and writes all state by
rename, so that it may be killed at any moment.
"""
