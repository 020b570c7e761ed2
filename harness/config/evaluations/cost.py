"""Evaluations of the cost of a run: time and size."""

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import PositiveInt

from harness.config.dataset import Dataset
from harness.config.evaluations.base import Evaluation, Work

if TYPE_CHECKING:
    from harness.config.run import RunConfig


class Runtime(Evaluation):
    """Time of training and validation, extrapolated from short windows after a warm-up.

    The time of an epoch is its iterations at the speed of the fastest window, plus its validation, if any.
    """

    kind: Literal["runtime"] = "runtime"
    implementation: ClassVar[str] = "harness.evaluation.runtime:evaluate"
    unrepeatable: ClassVar[str] = "a measured time"

    warmup_steps: PositiveInt = 20
    timed_steps: PositiveInt = 10
    windows: PositiveInt = 12

    def work(self, config: "RunConfig") -> Work:
        """Return the timed and warm-up training steps."""
        steps = self.warmup_steps + self.windows * self.timed_steps
        return Work(steps * config.training.batch_size, config.method.train_flops(config.network, config.data))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the labels of the extrapolated times."""
        return {"minutes_per_epoch": "Min/Epoch", "runtime_hours": "Runtime", "gpu_hours": "device hours"}

    def reduced(self, items: int) -> Self:
        """Return a copy with three steps."""
        return self.but(after=1.0, warmup_steps=1, timed_steps=1, windows=2)


class Size(Evaluation):
    """The number of parameters of the built network, in millions."""

    kind: Literal["size"] = "size"
    implementation: ClassVar[str] = "harness.evaluation.size:evaluate"
    unrepeatable: ClassVar[str] = "a count of the network's parameters, without an array"

    def work(self, config: "RunConfig") -> Work:
        """Return nothing: no example passes."""
        return Work(0, 0.0)

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity."""
        return {"parameters_m": "NoP"}
