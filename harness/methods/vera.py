"""VERA: a joint EBM that trains against a generator instead of chains (Grathwohl et al. 2021, arXiv 2010.04230)."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from harness.config import energy_methods as spec
from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.config.samplers import Sampler
from harness.data.batches import TrainBatch
from harness.methods.base import Loss, Step, draw_weights
from harness.methods.classification import cross_entropy
from harness.methods.energy import EnergyModel, frozen, refuse_diffusion_samplers
from harness.methods.entropy import estimated_score, evidence_bound
from harness.models.acceleration import unaccelerated
from harness.models.base import ImageNetwork, build_network
from harness.randomness import Stream


class NoisyGenerator(nn.Module):
    """The generator x = g(z) + sigma e, with a learned sigma."""

    def __init__(self, network: ImageNetwork, sigma: float) -> None:
        super().__init__()
        self.network = network
        self.log_sigma = nn.Parameter(torch.tensor(math.log(sigma)))

    def forward(self, latents: Tensor, noise: Tensor) -> Tensor:
        """Generate images from standard normal latents `(batch, noise_dim)` and noise shaped like the images."""
        return self.network.generate(latents) + self.log_sigma.exp() * noise


class Posterior(nn.Module):
    """The learned width of the approximate posterior, a normal distribution around an image's latents."""

    def __init__(self, latent_dim: int, sigma: float) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.full((latent_dim,), math.log(sigma)))


class VERA(EnergyModel):
    """Three players: the classifier, the generator, and the approximate posterior of the generator's latents.

    The classifier minimises c L_CE - mean log p(x) + mean log p(x') + g / 2 mean |grad log p(x)|^2, the generator
    -mean log p(x') - w H(x'), the posterior the negative ELBO on log q(x') (VERA Algorithm 1). Capabilities:
    `Classifier`, `Generator`.
    """

    def __init__(self, config: spec.VERA, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config, network, data)
        self.config = config
        self.latent_dim = config.generator.noise_dim
        self.generator = NoisyGenerator(build_network(config.generator, data), config.smallest_sigma)
        self.posterior = Posterior(self.latent_dim, config.posterior_sigma)

    def augmentations(self) -> dict[str, Augmentation]:
        """Return the single batch of a step, for classification and density alike."""
        return {"labelled": self.config.augmentation}

    def players(self) -> dict[str, nn.Module]:
        """Return the three players in update order."""
        return {"network": self.network, "posterior": self.posterior, "generator": self.generator}

    def initialise(self, stream: Stream) -> None:
        """Draw the initial weights of both networks."""
        super().initialise(stream)
        draw_weights(self.generator.network, stream.at("generator"))

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the losses of classifier, posterior and generator, all on the same generated images."""
        batch, stream = self.noised("labelled", step), step.stream
        latents = stream.at("latent").normal(batch.rows, self.latent_dim)
        made = self.generator(latents, stream.at("noise").normal(batch.rows, *self.example_shape))
        yield self._classifier_loss(batch, made.detach(), step)
        # The importance samples are drawn from the posterior before its step.
        generator_loss = self._generator_loss(made, latents, step, batch.rows)
        yield self._posterior_loss(made.detach(), latents, step, batch.rows)
        yield generator_loss
        with torch.no_grad():
            smallest, largest = math.log(self.config.smallest_sigma), math.log(self.config.largest_sigma)
            self.generator.log_sigma.clamp_(smallest, largest)

    def sample(self, sampler: Sampler, stream: Stream, rows: Tensor) -> Tensor:
        """Generate the images with indices `rows`, in [-1, 1].

        Raises `SpecError` for samplers of diffusion models.
        """
        refuse_diffusion_samplers(sampler)
        latents = stream.at("latent").normal(rows, self.latent_dim)
        made: Tensor = self.generator(latents, stream.at("noise").normal(rows, *self.example_shape))
        return made.clamp(-1, 1)

    def _classifier_loss(self, batch: TrainBatch, made: Tensor, step: Step) -> Loss:
        images = batch.images.detach().requires_grad_()
        self.seed_dropout(step, "observed", batch.rows)
        logits = unaccelerated(self.network, "logits")(images)
        density = logits.logsumexp(dim=1)
        (gradient,) = torch.autograd.grad(density.sum(), images, create_graph=True)
        penalty = gradient.flatten(1).square().sum(dim=1).mean() / 2
        self.seed_dropout(step, "made", batch.rows)
        gap = density.mean() - self.log_density(made).mean()
        classification = cross_entropy(logits, batch, label_smoothing=0.0)
        value = self.config.class_weight * classification - gap + self.config.gradient_penalty * penalty
        log = {"cross_entropy": classification, "density_gap": gap, "gradient_penalty": penalty}
        return Loss("network", value, {name: scalar.detach() for name, scalar in log.items()})

    def _posterior_loss(self, made: Tensor, latents: Tensor, step: Step, rows: Tensor) -> Loss:
        draws = step.stream.at("posterior").normal(rows, self.latent_dim)
        with frozen(self.generator):
            bound = evidence_bound(
                self.generator.network.generate,
                self.generator.log_sigma.exp(),
                self.posterior.log_sigma,
                made,
                latents,
                draws,
            ).mean()
        return Loss("posterior", -bound, {"posterior_bound": bound.detach()})

    def _generator_loss(self, made: Tensor, latents: Tensor, step: Step, rows: Tensor) -> Loss:
        self.seed_dropout(step, "generator", rows)
        with frozen(self.network):
            density = self.log_density(made).mean()
        draws = step.stream.at("importance").normal(rows, self.config.importance_samples, self.latent_dim)
        sigma, width = self.generator.log_sigma.detach().exp(), self.posterior.log_sigma.detach().exp()
        score = estimated_score(
            self.generator.network.generate, sigma, width, made.detach(), latents, draws.transpose(0, 1)
        )
        # A surrogate: its gradient is the gradient of the entropy, its value is meaningless (VERA §3).
        entropy = -(score * made).flatten(1).sum(dim=1).mean()
        value = -density - self.config.entropy_weight * entropy
        return Loss("generator", value, {"score_norm": score.flatten(1).norm(dim=1).mean()})
