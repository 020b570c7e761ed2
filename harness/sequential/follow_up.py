"""The follow-up job of a round on SLURM: resubmits what has not ended, else submits the next round.

It runs as `python -m harness.sequential.follow_up RESULTS SUBMISSION` in the place of
`harness.launch.slurm.watchdog`, so that the rounds go on when the terminal is closed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from harness.launch.estimate.target import Target
from harness.launch.slurm.manifest import Submission, manifest_path
from harness.launch.slurm.policy import Action
from harness.launch.slurm.scheduler import Scheduler
from harness.launch.slurm.submit import Submitted, submit
from harness.launch.slurm.watchdog import follow_up, persistently, report, request_like
from harness.sequential.rounds import Step, has_unended, next_step
from harness.store.decisions import load
from harness.store.results import Results
from harness.store.run_directory import RunDirectory

MODULE = "harness.sequential.follow_up"
DECISION = "decision"
"""The key of the decision's id in the selection of a submission."""
TARGET = Target(1, on_gpu=True)


def next_round(results: Results, submission: Submission) -> tuple[Step, Submitted | None]:
    """Submit the next round of the decision that a submission belongs to; return None if no seed is added.

    Raises `StoreError` if the record of the decision is damaged or gone.
    """
    decision = load(results.root, submission.selection[DECISION])
    step = next_step(decision, results, TARGET)
    if step.plan is None:
        return step, None
    # A round is a chain of its own: its runs have their attempts before them.
    return step, submit(request_like(results, submission, ()), step.plan.unfinished(), Scheduler(min_interval=0))


def main(arguments: Sequence[str]) -> int:
    """Follow up the submission named on the command line; the exit code is 0 even if unfinished runs remain."""
    root, id = arguments
    results = Results(Path(root))
    done = persistently(id, lambda: follow_up(results, id, Scheduler(min_interval=0)))
    if done is None:
        return 1
    report(id, done)
    if any(decided.action is not Action.LEAVE for decided in done.verdicts.values()):
        return 0
    submission = Submission.load(manifest_path(results, id))
    if has_unended(RunDirectory(results.runs / run) for run in done.verdicts):
        # The next step would be the same round, whose attempts are used up or whose jobs were cancelled.
        print(f"follow-up of {id}: its round of decision {submission.selection[DECISION]} is not over", flush=True)
        return 0
    steps: list[Step] = []

    def submits() -> Submitted:
        step, submitted = next_round(results, submission)
        steps.append(step)
        return submitted or Submitted(None, {})

    done = persistently(id, submits)
    if done is None:
        return 1
    number = steps[-1].number
    what = f"round {number}" if done.verdicts else f"no seed is added after round {number}"
    print(f"follow-up of {id}: {what} of decision {steps[-1].decision.id}", flush=True)
    report(id, done)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
