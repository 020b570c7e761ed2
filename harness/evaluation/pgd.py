"""Projected gradient descent on the images of a classifier (Madry et al. 2018, §2), maximising the cross-entropy.

Distances are in units of images in [-1, 1].
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.config.evaluations import Norm
from harness.randomness import Stream

Logits = Callable[[Tensor], Tensor]


class Ball(Protocol):
    """All images in [-1, 1] that are within a distance of a given one. Images are `(batch, ...)`."""

    def project(self, points: Tensor, centres: Tensor) -> Tensor:
        """Return the points pulled into the balls around their centres, and clipped to [-1, 1]."""
        ...

    def direction(self, gradients: Tensor) -> Tensor:
        """Return the steepest step of length one; zero where the gradient is."""
        ...

    def random_points(self, centres: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return a random point of each ball, a function of the stream and of the row, clipped to [-1, 1]."""
        ...


@dataclass(frozen=True)
class Box:
    """The ball of the largest difference, L∞."""

    radius: float

    def project(self, points: Tensor, centres: Tensor) -> Tensor:
        """Return the points with every difference clipped."""
        return (centres + (points - centres).clamp(-self.radius, self.radius)).clamp(-1, 1)

    def direction(self, gradients: Tensor) -> Tensor:
        """Return the sign."""
        return gradients.sign()

    def random_points(self, centres: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return points uniform in the box."""
        offsets = self.radius * (2 * stream.uniform(rows, *centres.shape[1:]) - 1)
        return (centres + offsets).clamp(-1, 1)


@dataclass(frozen=True)
class Sphere:
    """The Euclidean ball, L2."""

    radius: float

    def project(self, points: Tensor, centres: Tensor) -> Tensor:
        """Return the points with differences that are too long shortened."""
        offsets = points - centres
        return (centres + offsets * (self.radius / _lengths(offsets).clamp_min(self.radius))).clamp(-1, 1)

    def direction(self, gradients: Tensor) -> Tensor:
        """Return the unit vector."""
        # The squares of the small gradients of a sure classifier vanish in float32.
        wide = gradients.double()
        return (wide / _lengths(wide).clamp_min(torch.finfo(torch.float64).tiny)).to(gradients.dtype)

    def random_points(self, centres: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return points in a uniform direction, at a distance uniform up to the radius."""
        shape = centres.shape[1:]
        directions = self.direction(stream.at("direction").normal(rows, *shape))
        distances = self.radius * stream.at("distance").uniform(rows)
        return (centres + directions * distances.reshape(-1, *(1 for _ in shape))).clamp(-1, 1)


def box(norm: Norm, radius: float) -> Box:
    """Return the ball of the largest difference."""
    return Box(radius)


def sphere(norm: Norm, radius: float) -> Sphere:
    """Return the Euclidean ball."""
    return Sphere(radius)


@dataclass(frozen=True)
class Attack:
    """Steps of a length within a ball around each image."""

    ball: Ball
    step_size: float
    steps: int

    def ascend(self, logits_of: Logits, points: Tensor, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits at the points, and the points one step on. Parameters get no gradients."""
        points = points.detach().requires_grad_()
        logits = logits_of(points)
        (gradients,) = torch.autograd.grad(F.cross_entropy(logits, labels, reduction="sum"), points)
        moved = points.detach() + self.step_size * self.ball.direction(gradients)
        return logits.detach(), self.ball.project(moved, images)

    def first_errors(self, logits_of: Logits, images: Tensor, labels: Tensor, start: Tensor) -> Tensor:
        """Return after how many steps each image is first misclassified: 0 at the start itself, -1 for never.

        The result is `(batch,)` int64. Images that have fallen are attacked no further.
        """
        fallen = torch.full_like(labels, -1)
        standing = torch.arange(len(labels), device=labels.device)
        points = start
        for step in range(self.steps + 1):
            if len(standing) == 0:
                break
            logits, moved = self.ascend(logits_of, points, images[standing], labels[standing])
            correct = logits.argmax(dim=1) == labels[standing]
            fallen[standing[~correct]] = step
            standing, points = standing[correct], moved[correct]
        return fallen


def _lengths(vectors: Tensor) -> Tensor:
    """Return the L2 norm of each image, shaped to broadcast over it."""
    return torch.linalg.vector_norm(vectors, dim=tuple(range(1, vectors.ndim)), keepdim=True)
