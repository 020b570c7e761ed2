"""JEM++: JEM with proximal SGLD, YOPO steps and informative initialisation (Yang and Ji 2021, arXiv 2109.09032)."""

import torch
from torch import Tensor

from harness.config import energy_methods as spec
from harness.config.dataset import Dataset
from harness.data.batches import TrainBatch
from harness.data.loaders import Loader
from harness.methods.base import Step, draw_weights
from harness.methods.class_gaussians import ClassGaussians
from harness.methods.jem import JointEnergyModel
from harness.methods.langevin import proximal_langevin
from harness.models.base import ImageNetwork
from harness.randomness import Stream

FILLED_AT_ONCE = 100


class JEMPlusPlus(JointEnergyModel):
    """JEM with chains initialised from per-class Gaussians; most steps differentiate only the first layer.

    During training, BatchNorm uses the statistics of the samples themselves, as in the authors' code. The network must
    have `features` and `logits_from`.
    """

    def __init__(self, config: spec.JEMPlusPlus, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config, network, data)
        self.config = config
        self._num_classes = data.num_classes
        self._gaussians: ClassGaussians | None = None
        self._replay_stream: Stream | None = None

    def initialise(self, stream: Stream) -> None:
        """Draw the initial weights; `prepare` draws the initial chains, which need the training split."""
        draw_weights(self.network, stream)
        self._replay_stream = stream.at("replay")

    def prepare(self, loader: Loader) -> None:
        """Fit the per-class Gaussians and initialise all chains from them."""
        assert self._replay_stream is not None, "`initialise` must run before `prepare`"
        self._gaussians = ClassGaussians(loader, self._num_classes)
        rows = torch.arange(len(self.replay), device=self.replay.images.device)
        for block in rows.split(FILLED_AT_ONCE):
            self.replay.images[block] = self.initial_states(self._replay_stream, block)

    def initial_states(self, stream: Stream, rows: Tensor) -> Tensor:
        """Draw initial states of chains, one per row, from the per-class Gaussians."""
        assert self._gaussians is not None, "`prepare` must run before chains start"
        return self._gaussians.sample(stream, rows, self.example_shape)

    def density_gap(self, step: Step, observed: TrainBatch) -> Tensor:
        """Return mean log p(x) - mean log p(x'), advancing the chains after the pass on the observed images.

        The order decides the running means of BatchNorm (the authors' code, `plc=alltrain1`).
        """
        density = self.mean_log_density(step, "observed", observed.images, observed.rows)
        sampled = self.advance_chains(step, observed.rows)
        return density - self.mean_log_density(step, "sampled", sampled, observed.rows)

    def advance(self, start: Tensor, slots: Tensor, steps: int, stream: Stream, rows: Tensor) -> Tensor:
        """Advance the chains by `steps` outer steps."""
        config, network = self.config, self.network

        def log_density_from(features: Tensor) -> Tensor:
            return network.logits_from(features).logsumexp(dim=1)

        return proximal_langevin(
            network.features,
            log_density_from,
            start,
            steps,
            config.inner_steps,
            config.step_size,
            config.gradient_bound,
        )
