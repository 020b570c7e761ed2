"""SLURM: profiles, code snapshots, job arrays submitted through submitit, and job status.

The exported names are for commands: they complement the state in run directories with the scheduler's.
"""

from harness.launch.slurm.job_status import JobStatus, cancel, job_statuses, logs, profiles_of

__all__ = ["JobStatus", "cancel", "job_statuses", "logs", "profiles_of"]
