"""JEM++: JEM with proximal chains of nested steps and an informed beginning (Yang and Ji 2021, arXiv 2109.09032)."""

import torch
from torch import Tensor

from harness.config import energy_methods as spec
from harness.config.dataset import Dataset
from harness.data.loaders import Loader
from harness.methods.base import draw_weights
from harness.methods.class_gaussians import ClassGaussians
from harness.methods.jem import JointEnergyModel
from harness.methods.langevin import proximal_langevin
from harness.models.base import ImageNetwork
from harness.randomness import Stream

FILLED_AT_ONCE = 100


class JEMPlusPlus(JointEnergyModel):
    """JEM whose chains begin in Gaussians of the classes and take most of their steps through the first layer alone.

    In training, batch normalisation takes the statistics of the samples themselves, as the authors' code does. The
    network has to offer `features` and `logits_from`.
    """

    def __init__(self, config: spec.JEMPlusPlus, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config, network, data)
        self.config = config
        self._num_classes = data.num_classes
        self._gaussians: ClassGaussians | None = None
        self._beginning: Stream | None = None

    def initialise(self, stream: Stream) -> None:
        """Draw the initial weights; the chains' beginnings are drawn when the training split is known."""
        draw_weights(self.network, stream)
        self._beginning = stream.at("replay")

    def prepare(self, loader: Loader) -> None:
        """Take the Gaussians of the classes, and begin all chains in them."""
        assert self._beginning is not None, "a method is initialised before it is prepared"
        self._gaussians = ClassGaussians(loader, self._num_classes)
        rows = torch.arange(len(self.replay), device=self.replay.images.device)
        for block in rows.split(FILLED_AT_ONCE):
            self.replay.images[block] = self.fresh(self._beginning, block)

    def fresh(self, stream: Stream, rows: Tensor) -> Tensor:
        """Return where chains begin: an image of the Gaussian of a class."""
        assert self._gaussians is not None, "only a method that was prepared begins chains"
        return self._gaussians.sample(stream, rows, self.example_shape)

    def continued(self, start: Tensor, slots: Tensor, steps: int, stream: Stream, rows: Tensor) -> Tensor:
        """Return where the chains are after some outer steps."""
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
