"""What every evaluation says of itself: what it needs, what it measures, and how much work it is."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from pydantic import Field

from harness.config.dataset import Dataset
from harness.config.family import Family
from harness.config.feature_spaces import Embedding

if TYPE_CHECKING:
    from harness.config.run import RunConfig

PROTOCOL = "@"


def measure_of(label: str) -> str:
    """Return a label without its protocol: `FID` of `FID@10k train`. Values compare where these are equal."""
    return label.partition(PROTOCOL)[0]


class Work(NamedTuple):
    """How often a network is asked about an example, and the operations of that, two to a multiply-add."""

    passes: int
    flops: float

    @property
    def total(self) -> float:
        """The operations of all passes."""
        return self.passes * self.flops


class Evaluation(Family):
    """A protocol that turns a trained model into numbers.

    `needs` are the capabilities that it asks of the model; `implementation` names a function of the evaluation and a
    `harness.evaluation.base.Subject` that returns `EvaluationResult`. `after` is the share of the training after which
    the EMA weights are taken, in tenths; 1 is the end. `secondary` names quantities that are reported where no exhibit
    has a column for them, by the metrics that `harness.registry.metrics.secondary` knows of.
    """

    implementation: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    secondary: ClassVar[tuple[str, ...]] = ()

    after: float = Field(1.0, gt=0, le=1, multiple_of=0.1)

    @property
    def id(self) -> str:
        """The kind and the beginning of the digest: names the evaluation's files in a run directory."""
        return self.id_of(self.kind, self.digest)

    @staticmethod
    def id_of(kind: str, digest: str) -> str:
        """Return the id of an evaluation by its kind and the SHA-256 of its canonical form."""
        return f"{kind}-{digest[:8]}"

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """The datasets that it needs beside the run's own."""
        settings = (getattr(self, name) for name in type(self).model_fields)
        return tuple(setting for setting in settings if isinstance(setting, Dataset))

    def work(self, config: "RunConfig") -> Work:
        """Return the work of the network in an evaluation of a run, by which `plan` scales its time.

        Feature spaces, and distances between features, are not counted. By default it is a pass over the split that a
        field `split` names, else over the test split; where there is none, over the largest.
        """
        examples = config.data.splits
        return Work(examples.get(getattr(self, "split", "test"), max(examples.values())), cheapest_pass(config))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return what each measured quantity is called in print; honest about the feature space."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its quantities are called")

    @property
    def embedding(self) -> Embedding | None:
        """The feature space that it measures in, None where it needs none."""
        return None

    def disk_bytes(self, data: Dataset) -> int:
        """Return about how many bytes the arrays take that are kept beside the record."""
        return 0

    def reduced(self, items: int) -> Self:
        """Return the same protocol on so many items, with the shapes of the full one, to be tried out.

        Its numbers mean nothing. Protocols that go through a split are shortened by shortening the split.
        """
        return self.but(after=1.0)

    @classmethod
    def accepts(cls, settings: Iterable[str]) -> bool:
        """Tell whether the protocol has all of these settings."""
        return set(settings) <= set(cls.model_fields)


def cost_of(config: "RunConfig", name: str) -> float:
    """Return the operations of a pass of one example; a method that answers by another one needs its cheapest."""
    if name in config.method.passes:
        return config.network.flops(config.data, name)
    return cheapest_pass(config)


def cheapest_pass(config: "RunConfig") -> float:
    """Return the operations of the cheapest pass that the method takes, of one example."""
    return min((config.network.flops(config.data, name) for name in config.method.passes), default=0.0)
