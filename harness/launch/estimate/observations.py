"""Measurements of the speed of runs, from their segments and rehearsals."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

from harness.config.evaluations import Evaluation
from harness.config.run import Run
from harness.errors import HarnessError
from harness.store.files import StoreError
from harness.store.names import EVALUATION_RECORD, named
from harness.store.records import EvaluationRecord, Segment
from harness.store.rehearsals import RehearsalRecord, Rehearsals
from harness.store.results import Results
from harness.store.run_directory import RunDirectory

FEWEST_STEPS = 20
"""Segments with fewer training steps are ignored, as their speed is unreliable."""


@dataclass(frozen=True)
class Observation:
    """Measurements of a run on one kind of device: device seconds per training step, and per evaluation.

    `first_step_seconds` is the time of a segment's first step, including compilation and loading. `rest_seconds` is the
    time besides training and evaluations: opening and hashing data, writing weights.
    """

    run: Run
    device: str
    on_gpu: bool
    step_seconds: float | None = None
    evaluations: tuple[tuple[Evaluation, float], ...] = ()
    first_step_seconds: float | None = None
    rest_seconds: float | None = None
    rehearsed: bool = False


def observe(results: Results) -> Iterator[Observation]:
    """Yield the observations from the runs and rehearsals of a results directory.

    Unreadable records and segments of old versions are skipped.
    """
    for rehearsal, record in Rehearsals(results.root).records():
        with suppress(HarnessError, FileNotFoundError):
            yield _from_rehearsal(rehearsal.run(), record)
    for directory in results.all():
        try:
            yield from _from_segments(directory)
        except StoreError:
            continue


def _from_rehearsal(run: Run, record: RehearsalRecord) -> Observation:
    """Return the observation from a rehearsal: steps including validation and checkpoints, and full evaluations."""
    step, first = record.training_step_seconds, record.first_step_seconds
    evaluations = (
        (Evaluation.read(entry.evaluation), entry.full_seconds * record.world_size)
        for entry in record.evaluations.values()
        if entry.full_seconds > 0
    )
    return Observation(
        run,
        record.device_name,
        record.on_gpu,
        None if step is None else step * record.world_size,
        tuple(evaluations),
        None if first is None else first * record.world_size,
        record.opening_seconds * record.world_size,
        rehearsed=True,
    )


def _from_segments(directory: RunDirectory) -> Iterator[Observation]:
    """Yield one observation per device from the segments of a run, the device of the latest segment last."""
    by_device: dict[str, list[Segment]] = {}
    for segment in directory.all_segments():
        if segment.device_name is not None:
            by_device[segment.device_name] = [*by_device.pop(segment.device_name, []), segment]
    if not by_device:
        return
    run, asked = directory.run(), _evaluations(directory)
    for device, segments in by_device.items():
        measured = [
            (asked[id], seconds * segment.world_size)
            for segment in segments
            for id, seconds in segment.evaluations.items()
            if id in asked and seconds > 0
        ]
        firsts = [s.first_step_seconds * s.world_size for s in segments if s.first_step_seconds is not None]
        rests = [_rest(segment) for segment in segments if segment.evaluations]
        yield Observation(
            run,
            device,
            segments[-1].on_gpu,
            _step_seconds(segments),
            tuple(measured),
            median(firsts) if firsts else None,
            median(rests) if rests else None,
        )


def _evaluations(directory: RunDirectory) -> dict[str, Evaluation]:
    """Return the requested evaluations of a run by id, in a bundle those that its records describe."""
    if found := {evaluation.id: evaluation for evaluation in directory.requested()}:
        return found
    for path in named(directory.evaluations, EVALUATION_RECORD):
        with suppress(HarnessError, OSError):
            evaluation = Evaluation.read(EvaluationRecord.load(path).evaluation)
            found[evaluation.id] = evaluation
    return found


def _step_seconds(segments: Sequence[Segment]) -> float | None:
    """Return the device seconds per step, excluding the first step of each segment (compilation and loading)."""
    steps, seconds = 0, 0.0
    for segment in segments:
        if segment.steps and segment.training_seconds and segment.steps > FEWEST_STEPS:
            steps += segment.steps - 1
            seconds += segment.world_size * (segment.training_seconds - (segment.first_step_seconds or 0.0))
    return seconds / steps if steps and seconds > 0 else None


def _rest(segment: Segment) -> float:
    done = (segment.training_seconds or 0.0) + sum(segment.evaluations.values())
    return max(segment.seconds - done, 0.0) * segment.world_size
