"""JEM: a classifier reinterpreted as a joint energy-based model (Grathwohl et al. 2020, arXiv 1912.03263)."""

from collections.abc import Iterator

from torch import Tensor

from harness.config import energy_methods as spec
from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.data.batches import TrainBatch
from harness.methods.base import Loss, Step
from harness.methods.classification import cross_entropy
from harness.methods.energy import ReplayedEnergyModel, evaluating
from harness.methods.langevin import langevin
from harness.models.base import ImageNetwork
from harness.randomness import Stream


class JointEnergyModel(ReplayedEnergyModel):
    """Minimises L_CE + w (mean log p(x') - mean log p(x)), with x' from the replay buffer (JEM §3-4, HybViT Eq. 22).

    If x' are samples of the model, the gradient of the second term is the gradient of -log p(x). Labelled and observed
    images are separate batches in separate orders, as in the authors' code.
    """

    def __init__(self, config: spec.JEM | spec.JEMPlusPlus, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config, network, data)
        self._augmentation = config.augmentation
        self._density_weight = config.density_weight
        self._steps = config.langevin_steps if isinstance(config, spec.JEM) else config.outer_steps

    def augmentations(self) -> dict[str, Augmentation]:
        """Return two batches with the same augmentation."""
        return {"labelled": self._augmentation, "observed": self._augmentation}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the weighted sum of both terms."""
        labelled, observed = self.noised("labelled", step), self.noised("observed", step)
        gap = self.density_gap(step, observed)
        self.seed_dropout(step, "labelled", labelled.rows)
        classification = cross_entropy(self.logits(labelled.inputs), labelled, label_smoothing=0.0)
        log = {"cross_entropy": classification.detach(), "density_gap": gap.detach()}
        yield Loss("network", classification - self._density_weight * gap, log)  # -log p(x, y): HybViT Eq. 22

    def density_gap(self, step: Step, observed: TrainBatch) -> Tensor:
        """Advance the chains, then return mean log p(x) - mean log p(x')."""
        sampled = self.advance_chains(step, observed.rows)
        density = self.mean_log_density(step, "observed", observed.images, observed.rows)
        return density - self.mean_log_density(step, "sampled", sampled, observed.rows)

    def advance_chains(self, step: Step, rows: Tensor) -> Tensor:
        """Advance the chains of `rows` by the configured number of steps, and return them as samples."""
        self.seed_dropout(step, "chain", rows)
        return self.advance_buffer(step, rows, self._steps)

    def mean_log_density(self, step: Step, name: str, images: Tensor, rows: Tensor) -> Tensor:
        """Return the mean of log p(x) in a pass whose dropout is seeded by `name`."""
        self.seed_dropout(step, name, rows)
        return self.log_density(images).mean()


class JEM(JointEnergyModel):
    """JEM with Langevin chains from uniform noise; the network is in evaluation mode while they run."""

    def __init__(self, config: spec.JEM, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config, network, data)
        self.config = config

    def advance(self, start: Tensor, slots: Tensor, steps: int, stream: Stream, rows: Tensor) -> Tensor:
        """Advance the chains by `steps` Langevin steps (JEM §4)."""
        with evaluating(self.network):
            return langevin(self.log_density, start, steps, self.config.step_size, self.config.noise, stream, rows)
