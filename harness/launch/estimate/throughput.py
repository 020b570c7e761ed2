"""Measured throughput per device."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from harness.config.evaluations import Evaluation
from harness.config.run import Run
from harness.launch.estimate.observations import Observation

NEAR = 32.0
"""Runs are similar if the FLOPs of their steps agree within this factor: small networks are bound by kernel launches,
large ones by arithmetic, so neither predicts the other."""
SAME_SIZE = 1.05

Sample = tuple[float, float]
"""FLOPs, and the device seconds that they took."""


@dataclass
class Speeds:
    """The observations of one kind of device; `origin` names results that are not the user's own."""

    device: str
    on_gpu: bool
    origin: str = ""
    steps: dict[str, tuple[Run, float, bool]] = field(default_factory=dict)
    evaluations: dict[str, list[tuple[Run, Evaluation, float]]] = field(default_factory=lambda: defaultdict(list))
    rehearsed: dict[str, list[tuple[Run, Evaluation, float]]] = field(default_factory=lambda: defaultdict(list))
    first_steps: dict[str, float] = field(default_factory=dict)
    rests: dict[str, float] = field(default_factory=dict)

    def add(self, observation: Observation) -> None:
        """Add an observation; measurements of a run override those of its rehearsal."""
        id = observation.run.id
        if observation.step_seconds is not None and (id not in self.steps or not observation.rehearsed):
            self.steps[id] = (observation.run, observation.step_seconds, observation.rehearsed)
        if observation.first_step_seconds is not None and (id not in self.first_steps or not observation.rehearsed):
            self.first_steps[id] = observation.first_step_seconds
        if observation.rest_seconds is not None and (id not in self.rests or not observation.rehearsed):
            self.rests[id] = observation.rest_seconds
        for evaluation, seconds in observation.evaluations:
            found = self.rehearsed if observation.rehearsed else self.evaluations
            found[evaluation.kind].append((observation.run, evaluation, seconds))

    def first_step(self, run: Run) -> float:
        """Return the seconds of a segment's first step: the run's own, else the median over all runs."""
        return self.first_steps.get(run.id, _middle(self.first_steps))

    def rest(self, run: Run) -> float:
        """Return the seconds besides training and evaluations: the run's own, else the median over all runs."""
        return self.rests.get(run.id, _middle(self.rests))

    def like(self, run: Run) -> list[Sample]:
        """Return FLOPs and seconds per step of runs with the same precision and similar size.

        If any of them have the same method, only those are returned.
        """
        wanted = step_flops(run)
        alike = [
            (other, seconds)
            for other, seconds, _ in self.steps.values()
            if other.config.training.precision == run.config.training.precision
            and wanted / NEAR <= step_flops(other) <= wanted * NEAR
        ]
        same = [(other, seconds) for other, seconds in alike if other.config.method.kind == run.config.method.kind]
        return [(step_flops(other), seconds) for other, seconds in same or alike]

    def evaluations_like(self, evaluation: Evaluation, run: Run) -> list[Sample]:
        """Return FLOPs and seconds per pass of evaluations of the same kind with similar network size.

        Rehearsals are used only without other measurements.
        """
        return self._alike(self.evaluations, evaluation, run) or self._alike(self.rehearsed, evaluation, run)

    def own_rehearsal(self, evaluation: Evaluation, run: Run) -> float | None:
        """Return the seconds of an evaluation expected by the run's own rehearsal, None if there is none."""
        found = (
            seconds for other, tried, seconds in self.rehearsed[evaluation.kind] if (other, tried) == (run, evaluation)
        )
        return next(found, None)

    @staticmethod
    def _alike(
        found: Mapping[str, Sequence[tuple[Run, Evaluation, float]]], evaluation: Evaluation, run: Run
    ) -> list[Sample]:
        wanted = evaluation.work(run.config).flops
        works = ((measured.work(other.config), seconds) for other, measured, seconds in found[evaluation.kind])
        return [
            (work.flops, seconds / work.passes)
            for work, seconds in works
            if work.passes and wanted / NEAR <= work.flops <= wanted * NEAR
        ]


def _middle(seconds: Mapping[str, float]) -> float:
    return median(seconds.values()) if seconds else 0.0


def speeds_by_device(observations: Iterable[Observation], origin: str = "") -> dict[str, Speeds]:
    """Group observations by kind of device."""
    found: dict[str, Speeds] = {}
    for observation in observations:
        speeds = found.setdefault(observation.device, Speeds(observation.device, observation.on_gpu, origin))
        speeds.add(observation)
    return found


def step_flops(run: Run) -> float:
    """Return the FLOPs of one training step."""
    return run.train_flops / run.iterations if run.iterations else 0.0


def scaled(samples: Sequence[Sample], flops: float) -> float:
    """Predict the device seconds for this many FLOPs from samples of other sizes.

    The model is a + b flops with a, b >= 0, a least-squares fit of relative errors: a is the cost of kernel launches, b
    that of arithmetic. Samples of a single size cannot separate them: then seconds grow with the square root of FLOPs,
    which lies in between and is close to Table 8 of HybViT (15 times the FLOPs in 4.3 times the hours).
    """
    sizes = [size for size, _ in samples]
    if max(sizes) <= SAME_SIZE * min(sizes):
        return median(seconds for _, seconds in samples) * math.sqrt(flops / median(sizes))
    return _fitted([(1 / seconds, size / seconds) for size, seconds in samples], flops)


def _fitted(points: Sequence[tuple[float, float]], flops: float) -> float:
    """Solve a x + b y = 1 over the points by least squares with a, b >= 0, and return a + b flops."""
    xx, xy, yy = (sum(p[i] * p[j] for p in points) for i, j in ((0, 0), (0, 1), (1, 1)))
    x, y = (sum(p[i] for p in points) for i in (0, 1))
    determinant = xx * yy - xy * xy
    a, b = x * yy - y * xy, y * xx - x * xy
    if a >= 0 and b >= 0 and determinant > 0:
        return (a + b * flops) / determinant
    # Otherwise one coefficient is 0: take the better of constant and proportional.
    return x / xx if x * x / xx > y * y / yy else y / yy * flops
