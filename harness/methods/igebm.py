"""IGEBM: a class-conditional EBM trained by contrastive divergence (Du and Mordatch 2019, arXiv 1903.08689)."""

from collections.abc import Iterator

from torch import Tensor

from harness.config import energy_methods as spec
from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.methods.base import Loss, Step
from harness.methods.energy import ReplayedEnergyModel, evaluating
from harness.methods.langevin import langevin
from harness.models.base import ImageNetwork
from harness.randomness import Stream


class IGEBM(ReplayedEnergyModel):
    """Minimises E(x, y) - E(x', y') + w (E(x, y)^2 + E(x', y')^2), with E = -logit (Algorithm 1).

    Buffer slot i holds a chain of class i mod `num_classes`, which follows the logit of that class. The predicted class
    has the lowest energy.
    """

    def __init__(self, config: spec.IGEBM, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config, network, data)
        self.config = config
        self._num_classes = data.num_classes

    def augmentations(self) -> dict[str, Augmentation]:
        """Return the single batch of a step."""
        return {"observed": self.config.augmentation}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Advance the chains, then yield the contrastive divergence plus the energy penalty."""
        observed = self.noised("observed", step)
        rows = observed.rows
        sampled = self.advance_buffer(step, rows, self.config.langevin_steps)
        classes = self._classes(self.replay.slots(step)[rows])
        self.seed_dropout(step, "observed", rows)
        real = self.energy(observed.images, observed.labels)
        self.seed_dropout(step, "sampled", rows)
        made = self.energy(sampled, classes)
        gap = (real - made).mean()
        penalty = (real.square() + made.square()).mean()
        log = {"energy_gap": gap.detach(), "energy_penalty": penalty.detach()}
        yield Loss("network", gap + self.config.energy_penalty * penalty, log)  # IGEBM Algorithm 1

    def energy(self, images: Tensor, classes: Tensor) -> Tensor:
        """Return E(x, y) = -logit of class y, `(batch,)`."""
        return -self.logits(images).gather(1, classes[:, None])[:, 0]

    def advance(self, start: Tensor, slots: Tensor, steps: int, stream: Stream, rows: Tensor) -> Tensor:
        """Advance the chains by `steps` Langevin steps on the energy of their slot's class."""
        config, classes = self.config, self._classes(slots)
        with evaluating(self.network):
            return langevin(
                lambda images: -self.energy(images, classes),
                start, steps, config.step_size, config.noise, stream, rows, config.gradient_bound,
            )  # fmt: skip

    def _classes(self, slots: Tensor) -> Tensor:
        return slots % self._num_classes
