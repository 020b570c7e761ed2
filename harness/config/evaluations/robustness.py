"""Accuracy under attack within balls of several norms."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, PositiveFloat, PositiveInt, SerializeAsAny

from harness.config.dataset import Dataset
from harness.config.evaluations.base import Evaluation, Work, cost_of
from harness.config.family import Family
from harness.config.interfaces import CLASSIFIER, LOGITS

if TYPE_CHECKING:
    from harness.config.run import RunConfig


class Norm(Family):
    """The norm of a perturbation, serialised as its name if it has no settings.

    `implementation` names a function `(norm, radius)` that returns a `harness.evaluation.pgd.Ball`, with the radius in
    units of images in [-1, 1]; `sign` appears in labels.
    """

    bare: ClassVar[bool] = True
    implementation: ClassVar[str]
    sign: ClassVar[str]


class LInf(Norm):
    """The largest absolute difference of any pixel value."""

    kind: Literal["linf"] = "linf"
    implementation: ClassVar[str] = "harness.evaluation.pgd:box"
    sign: ClassVar[str] = "L∞"


class L2(Norm):
    """The Euclidean norm of the difference."""

    kind: Literal["l2"] = "l2"
    revision: ClassVar[int] = 2
    """2 does not clip the start of an attack to the range of images."""
    implementation: ClassVar[str] = "harness.evaluation.pgd:sphere"
    sign: ClassVar[str] = "L2"


class Robustness(Evaluation):
    """Accuracy under projected gradient descent (Madry et al. 2018), white-box, within balls of several sizes.

    `epsilons` and `step_size` are in 1/255 of the pixel range; `step_size` defaults to 2.5 epsilon / steps. An image
    counts as robust if it is classified correctly at every step of every restart.
    """

    kind: Literal["robustness"] = "robustness"
    implementation: ClassVar[str] = "harness.evaluation.robustness:evaluate"
    recomputations: ClassVar[str] = "harness.recheck.classifiers:ROBUSTNESS"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})
    shrinks: ClassVar[Mapping[str, str]] = {"images": "attacked_images"}

    norm: Annotated[SerializeAsAny[Norm], BeforeValidator(Norm.read)]
    epsilons: tuple[PositiveFloat, ...]
    steps: PositiveInt = 50
    step_size: PositiveFloat | None = None
    restarts: PositiveInt = 1
    images: PositiveInt = 1000

    def work(self, config: "RunConfig") -> Work:
        """Return an upper bound: a forward and a backward pass per query, although misclassified images need fewer."""
        images = min(self.images, config.data.examples("test"))
        queries = len(self.epsilons) * self.restarts * (self.steps + 1)
        return Work(images * queries, 3 * cost_of(config, LOGITS))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return one label per epsilon."""
        return {self.quantity(epsilon): f"{self.norm.sign} {epsilon:g}/255" for epsilon in self.epsilons}

    def reduced(self, items: int) -> Self:
        """Return a copy with few images and two steps in one ball, so small that nearly all images stay correct."""
        ball = (min(self.epsilons) / 1000,)
        return self.but(after=1.0, epsilons=ball, steps=2, step_size=None, restarts=1, images=min(self.images, items))

    def quantity(self, epsilon: float) -> str:
        """Return the quantity name of the accuracy under attacks of this size."""
        return f"robust_{self.norm.kind}_{epsilon:g}"
