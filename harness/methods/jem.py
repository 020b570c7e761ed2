"""JEM: a classifier that is a density of images too (Grathwohl et al. 2020, arXiv 1912.03263)."""

from collections.abc import Iterator

from torch import Tensor

from harness.config import energy_methods as spec
from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.methods.base import Loss, Step
from harness.methods.classification import cross_entropy
from harness.methods.energy import ReplayedEnergyModel, evaluating
from harness.methods.langevin import langevin
from harness.models.base import ImageNetwork
from harness.randomness import Stream


class JointEnergyModel(ReplayedEnergyModel):
    """Minimises L_CE + w (mean log p(x') - mean log p(x)), with x' from the chains of the buffer (JEM §3 and §4).

    The gradient of the second term is that of -log p(x) where x' are samples of the model. Labelled and observed images
    are batches of their own, in orders of their own, as in the authors' code.
    """

    def __init__(self, config: spec.JEM | spec.JEMPlusPlus, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config, network, data)
        self._augmentation = config.augmentation
        self._density_weight = config.density_weight
        self._steps = config.langevin_steps if isinstance(config, spec.JEM) else config.outer_steps

    def augmentations(self) -> dict[str, Augmentation]:
        """Return two batches, augmented alike."""
        return {"labelled": self._augmentation, "observed": self._augmentation}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the sum of both terms, after the chains have been continued."""
        labelled, observed = self.noised("labelled", step), self.noised("observed", step)
        rows = labelled.rows
        self.seed_dropout(step, "chain", rows)
        sampled = self.replayed(step, rows, self._steps)
        self.seed_dropout(step, "observed", rows)
        gap = self.log_density(observed.images).mean()
        self.seed_dropout(step, "sampled", rows)
        gap = gap - self.log_density(sampled).mean()
        self.seed_dropout(step, "labelled", rows)
        classification = cross_entropy(self.logits(labelled.inputs), labelled, label_smoothing=0.0)
        log = {"cross_entropy": classification.detach(), "density_gap": gap.detach()}
        yield Loss("network", classification - self._density_weight * gap, log)


class JEM(JointEnergyModel):
    """JEM with Langevin chains from uniform noise, in which the network behaves as when it is evaluated."""

    def __init__(self, config: spec.JEM, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config, network, data)
        self.config = config

    def continued(self, start: Tensor, slots: Tensor, steps: int, stream: Stream, rows: Tensor) -> Tensor:
        """Return where the chains are after some Langevin steps (JEM §4)."""
        with evaluating(self.network):
            return langevin(self.log_density, start, steps, self.config.step_size, self.config.noise, stream, rows)
