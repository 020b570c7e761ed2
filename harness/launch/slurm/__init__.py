"""SLURM: profiles, snapshots of the code, arrays written and submitted through submitit, and what became of them.

`opinions`, `cancel` and `logs` are for commands: the scheduler's word on runs beside that of their directories.
"""

from harness.launch.slurm.job_status import JobStatus, cancel, job_statuses, logs

__all__ = ["JobStatus", "cancel", "job_statuses", "logs"]
