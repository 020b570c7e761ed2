"""Runtime: seconds of a training step and of a validation pass, from which the whole training is extrapolated.

On a GPU they are seconds of the clock; on a CPU, where a worker computes on one thread, they are seconds of
computing, which other processes lengthen less. The fastest window counts: whatever else runs can only slow one down.

A copy of the method with its initial weights is trained for as long as the windows last; the evaluated model is left
alone. Validation takes the method's value on the splits that each epoch is validated on, nothing where it names none.
As in the paper no time is counted for sampling.
"""

from collections.abc import Callable
from contextlib import closing
from time import perf_counter, process_time

import torch

from harness.config.evaluations import Runtime
from harness.config.resolve import resolve
from harness.evaluation.base import BLOCK, EvaluationResult, Subject
from harness.methods.base import Method, build_method
from harness.store.records import Measurement
from harness.training.device import device_name
from harness.training.loop import Trainer

EXTRAPOLATED = (
    "Times are extrapolated from the fastest of short windows of training steps, after a warm-up, and one validation "
    "pass; on a CPU they are seconds of computing on one thread"
)


def evaluate(evaluation: Runtime, subject: Subject) -> EvaluationResult:
    """Return the minutes of an epoch, the hours of the whole training, and those times the one device.

    Of several ranks the first measures, on its own device, while the others wait.
    """
    return subject.comm.on_first_rank(lambda: _measure(evaluation, subject))


def _measure(evaluation: Runtime, subject: Subject) -> EvaluationResult:
    config, device = subject.config, subject.device
    windows = []
    with closing(
        Trainer(config, build_method(config, device), subject.loader("train"), device, subject.compiled)
    ) as trainer:
        for _ in range(evaluation.warmup_steps):
            trainer.train_step()
        for _ in range(evaluation.windows):
            windows.append(seconds_of(trainer.train_step, evaluation.timed_steps, device) / evaluation.timed_steps)
            subject.report(len(windows), evaluation.windows)
    validation = validation_seconds(trainer.method.eval(), subject)
    minutes = (trainer.iterations_per_epoch * min(windows) + validation) / 60
    hours = config.training.epochs * minutes / 60
    n = evaluation.windows * evaluation.timed_steps
    return EvaluationResult(
        {
            "minutes_per_epoch": Measurement(value=minutes, n=n),
            "runtime_hours": Measurement(value=hours, n=n),
            "gpu_hours": Measurement(value=hours, n=n),
        },
        {
            "device": device_name(device),
            "threads": torch.get_num_threads(),
            "step_seconds": windows,
            "validation_seconds": validation,
            "note": EXTRAPOLATED,
        },
    )


def seconds_of(action: Callable[[], object], times: int, device: torch.device) -> float:
    """Return the seconds in which the device finishes an action so many times."""
    clock = perf_counter if device.type == "cuda" else process_time
    wait_for(device)
    begun = clock()
    for _ in range(times):
        action()
    wait_for(device)
    return clock() - begun


def validation_seconds(model: Method, subject: Subject) -> float:
    """Return the seconds of the validation of an epoch; one before it warms up."""
    validation = subject.config.method.validation
    if validation is None:
        return 0.0
    values = resolve(validation.implementation)
    loaders = [subject.loader(split) for split in subject.config.validated_splits]

    @torch.inference_mode()
    def validate() -> list[float]:
        return [float(values(model, batch).double().sum()) for loader in loaders for batch in loader.blocks(BLOCK)]

    return [seconds_of(validate, 1, subject.device) for _ in range(2)][-1]


def wait_for(device: torch.device) -> None:
    """Wait until the device has done what was asked of it: CUDA computes behind the caller's back."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
