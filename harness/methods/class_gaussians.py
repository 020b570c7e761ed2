"""A Gaussian for each class of a training split, to draw images from that are informed of it (JEM++)."""

import torch
from torch import Tensor

from harness.data.loaders import Loader
from harness.randomness import Stream

BLOCK = 1000
JITTER = 1e-4
"""Added to the diagonal of every covariance, in units of images in [-1, 1] (the authors' code)."""


class ClassGaussians:
    """The mean image of each class, and a root of the covariance of its pixels."""

    def __init__(self, loader: Loader, num_classes: int) -> None:
        """Take means and covariances of a whole split, in float64: sums of squares need it."""
        blocks = list(loader.blocks(BLOCK))
        images, labels = torch.cat([b.images.flatten(1) for b in blocks]), torch.cat([b.labels for b in blocks])
        means, roots = zip(*(_moments(images[labels == c].double()) for c in range(num_classes)), strict=True)
        self._means, self._roots = torch.stack(means).float(), torch.stack(roots).float()

    def sample(self, stream: Stream, rows: Tensor, image_shape: tuple[int, ...]) -> Tensor:
        """Return an image `(len(rows), *image_shape)` in [-1, 1] of a random class for each row."""
        classes = stream.at("class").integers(rows, len(self._means))
        noise = stream.at("noise").normal(rows, self._means.shape[1])
        offsets = torch.einsum("cij,bj->cbi", self._roots, noise)
        chosen = self._means[classes] + offsets[classes, torch.arange(len(rows), device=rows.device)]
        return chosen.clamp(-1, 1).reshape(-1, *image_shape)


def _moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the Cholesky factor of the covariance; of no images, those of a dark speck."""
    size = images.shape[1]
    jitter = JITTER * torch.eye(size, dtype=images.dtype, device=images.device)
    if not len(images):
        return images.new_zeros(size), torch.linalg.cholesky(jitter)
    centred = images - images.mean(0)
    return images.mean(0), torch.linalg.cholesky(centred.T @ centred / len(images) + jitter)
