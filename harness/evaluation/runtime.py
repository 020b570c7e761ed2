"""Runtime: times a training step and a validation pass, and extrapolates to the whole training.

On a GPU this is wall-clock time; on a CPU, where a worker uses one thread, it is CPU time, which other processes affect
less. The fastest window counts, because other load can only slow a window down.

The windows train a fresh copy of the method; the evaluated model is not touched. Validation computes the method's
validation value on the splits validated after each epoch, if it has one. As in the paper, sampling is not timed.
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
    """Return minutes per epoch, hours of the whole training, and device-hours, for one device.

    Rank 0 measures on its own device while the other ranks wait.
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
    """Return the seconds that `times` calls of an action take on the device."""
    clock = perf_counter if device.type == "cuda" else process_time
    wait_for(device)
    begun = clock()
    for _ in range(times):
        action()
    wait_for(device)
    return clock() - begun


def validation_seconds(model: Method, subject: Subject) -> float:
    """Return the seconds of one epoch's validation, after a warm-up pass."""
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
    """Synchronise with the device; CUDA kernels run asynchronously."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
