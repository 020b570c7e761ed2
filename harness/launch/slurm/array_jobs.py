"""Queues the arrays of a manifest and the job that follows them, and records what `sbatch` answers to each."""

import os
from pathlib import Path

from harness.launch.slurm.batch import (
    BatchExecutor,
    Refused,
    array_executor,
    follow_up_executor,
    plain_command,
    worker_command,
)
from harness.launch.slurm.manifest import Array, Submission, folder_of, log_path, manifest_path, save
from harness.launch.slurm.variables import unused
from harness.store.results import Results

TEMPORARY = ("submit limit", "submitjob", "maxsubmit", "temporarily", "job queue", "too many")
"""Words in messages of `sbatch` when the queue is full; the follow-up job retries."""


def submit_arrays(results: Results, submission: Submission, parallelism: int | None) -> Submission:
    """Submit the arrays of a manifest and record the result of each."""
    full = False
    for array in submission.arrays:
        refused: str | None = "the queue is full" if full else None
        job_id: str | None = None
        if not full:
            try:
                job_id = _submit_array(results, submission, array, parallelism)
            except Refused as refusal:
                refused = str(refusal)
        full = full or (refused is not None and any(word in refused.lower() for word in TEMPORARY))
        submission = submission.with_array(array.model_copy(update={"job_id": job_id, "refused": refused}))
        if full:
            runs = tuple(run for task in array.tasks if task.kind == "runs" for run in task.runs)
            submission = submission.model_copy(update={"waiting": (*submission.waiting, *runs)})
        save(results, submission)
    if submission.profile.follow_up.enabled and any(array.job_id for array in submission.arrays):
        submission = _submit_follow_up(results, submission)
        save(results, submission)
    return submission


def _submit_array(results: Results, submission: Submission, array: Array, parallelism: int | None) -> str:
    executor, command = batch_of(results, submission, array, parallelism)
    return executor.submit_script(array.name, command)


def batch_of(
    results: Results, submission: Submission, array: Array, parallelism: int | None
) -> tuple[BatchExecutor, str]:
    """Return the executor of an array and the command of its script."""
    earlier = [other.job_id for other in submission.arrays if other.stage < array.stage and other.job_id]
    folder, profile = folder_of(results, submission.id).absolute(), submission.profile
    executor = array_executor(
        folder,
        profile,
        array.resources,
        array.name,
        len(array.tasks),
        parallelism or profile.array_parallelism,
        f"afterany:{':'.join(earlier)}" if earlier else "",
    )
    arguments = ["--results", str(results.root.absolute()), "--data", submission.data, "worker-task"]
    arguments += ["--manifest", str(manifest_path(results, submission.id).absolute()), "--array", array.name]
    srun = [f"--cpus-per-task={array.resources.cpus_per_task}", *profile.srun]
    return executor, worker_command(profile.python, Path(submission.code.archive), srun, arguments)


def _submit_follow_up(results: Results, submission: Submission) -> Submission:
    """Queue the follow-up job, which runs after the arrays; the arrays stay queued if it is refused."""
    after = f"afterany:{':'.join(array.job_id for array in submission.arrays if array.job_id)}"
    name, folder = f"harness-{submission.id}-follow-up", folder_of(results, submission.id).absolute()
    arguments = [str(results.root.absolute()), submission.id]
    command = plain_command(submission.profile.python, Path(submission.code.archive), submission.watchdog, arguments)
    try:
        job_id = follow_up_executor(folder, submission.profile, name, after).submit_script("follow-up", command)
    except Refused as refusal:
        with open(log_path(results, submission.id), "a", encoding="utf-8") as log:
            log.write(f"no follow-up job: {refusal}\n")
        return submission
    return submission.model_copy(update={"follow_up": job_id})


def unused_by(results: Results, submission: Submission) -> tuple[str, ...]:
    """Return a sentence for every variable of sbatch that a submission overrides."""
    scripts = (folder_of(results, submission.id) / f"{array.name}.sbatch" for array in submission.arrays)
    texts = [script.read_text(encoding="utf-8") for script in scripts if script.exists()]
    return tuple(dict.fromkeys(sentence for text in texts for sentence in unused(os.environ, text)))
