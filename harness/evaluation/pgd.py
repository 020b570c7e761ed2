"""Projected gradient descent attack that maximises the cross-entropy (Madry et al. 2018, §2).

Distances are for images in [-1, 1].
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
Report = Callable[[int], None]


class Ball(Protocol):
    """The images in [-1, 1] within a norm ball around a given image. Images are `(batch, ...)`."""

    def project(self, points: Tensor, centres: Tensor) -> Tensor:
        """Project the points onto the balls around their centres, then clip them to [-1, 1]."""
        ...

    def direction(self, gradients: Tensor) -> Tensor:
        """Return the steepest ascent direction of unit norm; zero for a zero gradient."""
        ...

    def random_points(self, centres: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Draw a random starting point in each ball, a function of the stream and the row."""
        ...


@dataclass(frozen=True)
class Box:
    """The L∞ ball."""

    radius: float

    def project(self, points: Tensor, centres: Tensor) -> Tensor:
        """Clip every difference to the radius."""
        return (centres + (points - centres).clamp(-self.radius, self.radius)).clamp(-1, 1)

    def direction(self, gradients: Tensor) -> Tensor:
        """Return the sign of the gradient."""
        return gradients.sign()

    def random_points(self, centres: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Draw points uniformly in the box, clipped to [-1, 1]."""
        offsets = self.radius * (2 * stream.uniform(rows, *centres.shape[1:]) - 1)
        return (centres + offsets).clamp(-1, 1)


@dataclass(frozen=True)
class Sphere:
    """The L2 ball."""

    radius: float

    def project(self, points: Tensor, centres: Tensor) -> Tensor:
        """Rescale differences longer than the radius."""
        offsets = points - centres
        return (centres + offsets * (self.radius / _lengths(offsets).clamp_min(self.radius))).clamp(-1, 1)

    def direction(self, gradients: Tensor) -> Tensor:
        """Return the normalised gradient."""
        # The squared gradients of a confident classifier underflow in float32.
        wide = gradients.double()
        return (wide / _lengths(wide).clamp_min(torch.finfo(torch.float64).tiny)).to(gradients.dtype)

    def random_points(self, centres: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Draw points in a uniform direction, at a uniform distance up to the radius.

        They may leave [-1, 1], as in the official code; the first step of the attack returns there.
        """
        shape = centres.shape[1:]
        directions = self.direction(stream.at("direction").normal(rows, *shape))
        distances = self.radius * stream.at("distance").uniform(rows)
        return centres + directions * distances.reshape(-1, *(1 for _ in shape))


def box(norm: Norm, radius: float) -> Box:
    """Return the L∞ ball."""
    return Box(radius)


def sphere(norm: Norm, radius: float) -> Sphere:
    """Return the L2 ball."""
    return Sphere(radius)


@dataclass(frozen=True)
class Attack:
    """PGD with a fixed step size and number of steps in a ball around each image."""

    ball: Ball
    step_size: float
    steps: int

    def ascend(self, logits_of: Logits, points: Tensor, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Take one PGD step: return the logits at `points`, and the next points. Parameters get no gradients."""
        points = points.detach().requires_grad_()
        logits = logits_of(points)
        (gradients,) = torch.autograd.grad(F.cross_entropy(logits, labels, reduction="sum"), points)
        moved = points.detach() + self.step_size * self.ball.direction(gradients)
        return logits.detach(), self.ball.project(moved, images)

    def first_errors(
        self, logits_of: Logits, images: Tensor, labels: Tensor, start: Tensor, block: int, report: Report
    ) -> Tensor:
        """Return the step at which each image is first misclassified, `(batch,)` int64: 0 at `start`, -1 for never.

        `block` images are under attack at a time, and waiting images take the places of those that have ended. An image
        ends when it is misclassified, after the last step, or once it can only repeat itself. `report` gets the number
        of ended images. Logits must be a function of the image alone.
        """
        first_error = torch.full_like(labels, -1)
        active = torch.arange(0, device=labels.device)
        step, points, previous, begun = active, start[:0], start[:0], 0
        while begun < len(labels) or len(active):
            if places := min(block - len(active), len(labels) - begun):
                new = torch.arange(begun, begun + places, device=labels.device)
                begun += places
                active, step = torch.cat([active, new]), torch.cat([step, torch.zeros_like(new)])
                points, previous = torch.cat([points, start[new]]), torch.cat([previous, start[new]])
            logits, moved = self.ascend(logits_of, points, images[active], labels[active])
            correct = logits.argmax(dim=1) == labels[active]
            first_error[active[~correct]] = step[~correct]
            # With steps longer than the ball is wide, most attacks soon stand still or alternate between two corners.
            repeats = _equal(moved, points) | _equal(moved, previous)
            goes_on = correct & (step < self.steps) & ~repeats
            active, step, previous, points = active[goes_on], step[goes_on] + 1, points[goes_on], moved[goes_on]
            report(begun - len(active))
        return first_error


def _equal(a: Tensor, b: Tensor) -> Tensor:
    """Return which images are equal in every element, `(batch,)`."""
    return (a == b).flatten(1).all(dim=1)


def _lengths(vectors: Tensor) -> Tensor:
    """Return the L2 norm of each image, `(batch, 1, ...)`."""
    return torch.linalg.vector_norm(vectors, dim=tuple(range(1, vectors.ndim)), keepdim=True)
