"""Extrapolates the duration of a training and of a full evaluation from a few steps and a few items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from harness.config.evaluations import Evaluation
from harness.config.run import RunConfig
from harness.store.rehearsals import RehearsedEvaluation
from harness.training.batches import PREFETCH_STEPS

Try = Callable[[Evaluation, RunConfig], float]
"""Runs a reduced evaluation with a configuration and returns its seconds, the same on every rank."""

SHORTEST_CHAIN = 2


def step_seconds(times: Sequence[float]) -> float:
    """Return the seconds per training step, from the times before the first step and after each.

    That is the median over groups of ten steps after the first ten, since ten batches are loaded together; with fewer
    steps, the mean of all but the first.
    """
    tens = [
        (times[i + PREFETCH_STEPS] - times[i]) / PREFETCH_STEPS
        for i in range(PREFETCH_STEPS, len(times) - PREFETCH_STEPS, PREFETCH_STEPS)
    ]
    return median(tens) if tens else (times[-1] - times[1]) / max(len(times) - 2, 1)


@dataclass(frozen=True)
class Extrapolation:
    """An evaluation of a run, and a reduced one on `items` items with all the same shapes."""

    evaluation: Evaluation
    config: RunConfig
    items: int

    @property
    def reduced(self) -> Evaluation:
        """The reduced evaluation."""
        return self.evaluation.reduced(self.items)

    def measure(self, attempt: Try, seconds: float) -> RehearsedEvaluation:
        """Return the expected duration of the full evaluation.

        The first try includes loading and compilation; the second is warm. For evaluations that sample, both use the
        shortest chain, and a third try uses as many sampler steps as fit into `seconds`. This separates one-time cost,
        cost per item and cost per sampler step. Work done once for all items, such as a distance, counts as cost per
        item, so the estimate errs on the high side.
        """
        small = self.config.but(data=self.config.data.first(self.items))
        short = self._chain_of(small, SHORTEST_CHAIN)
        full, tried = (1, 1) if short is small else (small.method.sampler_steps, short.method.sampler_steps)
        first = again = longest = attempt(self.reduced, short)
        if first <= seconds:
            again = longest = attempt(self.reduced, short)
        affordable = min(full, int(seconds * tried / max(again, 1e-9)))
        each = again / tried
        if affordable > tried:
            longest = attempt(self.reduced, self._chain_of(small, affordable))
            each = max(longest - again, 0.0) / (affordable - tried)
            tried = affordable
        once, rest = max(first - again, 0.0), max(longest - tried * each, 0.0)
        work, whole = self.reduced.work(self._chain_of(small, tried)), self.evaluation.work(self.config)
        one_chain = self.reduced.work(small).passes
        times = whole.passes / one_chain if one_chain else 1.0
        return RehearsedEvaluation(
            evaluation=self.evaluation.model_dump(mode="json"),
            passes=work.passes,
            full_passes=whole.passes,
            chain=tried,
            full_chain=full,
            first_seconds=round(first, 3),
            seconds=round(longest, 3),
            full_seconds=round(once + times * (rest + full * each), 3),
        )

    def _chain_of(self, config: RunConfig, steps: int) -> RunConfig:
        """Return the configuration with fewer sampler steps, or itself if this evaluation does not sample."""
        shorter = config.but(method=config.method.with_sampler_steps(steps))
        through = self.reduced.work(shorter).passes != self.reduced.work(config).passes
        return shorter if through else config
