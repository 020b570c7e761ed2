"""Per-class Gaussians of the training split, from which JEM++ initialises its chains."""

import torch
from torch import Tensor

from harness.data.loaders import Loader
from harness.randomness import Stream

BLOCK = 1000
JITTER = 1e-4
"""Added to the diagonal of every covariance, for images in [-1, 1] (the authors' code)."""


class ClassGaussians:
    """The mean image of each class, and the Cholesky factor of its pixel covariance."""

    def __init__(self, loader: Loader, num_classes: int) -> None:
        """Estimate means and covariances over a whole split, in float64."""
        blocks = list(loader.blocks(BLOCK))
        images, labels = torch.cat([b.images.flatten(1) for b in blocks]), torch.cat([b.labels for b in blocks])
        means, roots = zip(*(_moments(images[labels == c].double()) for c in range(num_classes)), strict=True)
        self._means, self._roots = torch.stack(means).float(), torch.stack(roots).float()

    def sample(self, stream: Stream, rows: Tensor, image_shape: tuple[int, ...]) -> Tensor:
        """Draw one image of a random class per row: `(len(rows), *image_shape)`, in [-1, 1]."""
        classes = stream.at("class").integers(rows, len(self._means))
        noise = stream.at("noise").normal(rows, self._means.shape[1])
        offsets = torch.einsum("cij,bj->cbi", self._roots, noise)
        chosen = self._means[classes] + offsets[classes, torch.arange(len(rows), device=rows.device)]
        return chosen.clamp(-1, 1).reshape(-1, *image_shape)


def _moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the Cholesky factor of the covariance; an empty class gets mean 0 and only the jitter."""
    size = images.shape[1]
    jitter = JITTER * torch.eye(size, dtype=images.dtype, device=images.device)
    if not len(images):
        return images.new_zeros(size), torch.linalg.cholesky(jitter)
    centred = images - images.mean(0)
    return images.mean(0), torch.linalg.cholesky(centred.T @ centred / len(images) + jitter)
