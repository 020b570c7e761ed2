"""One run, from wherever it stopped to its end: train, evaluate, record.

The same worker runs in a terminal, as a child of the local executor, under torchrun or in an array task. It trusts
nothing but the run directory: it takes the lease, continues from the newest checkpoint that verifies, and leaves
every state on disk by rename, so that it may be killed at any moment.
"""

from harness.worker.work import Ending, work

__all__ = ["Ending", "work"]
