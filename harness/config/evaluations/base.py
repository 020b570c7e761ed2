"""Base class of evaluation configurations: required capabilities, measured quantities, and amount of work."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from pydantic import Field

from harness.config.base import sha256_of_json
from harness.config.dataset import Dataset
from harness.config.family import Family
from harness.config.feature_spaces import Embedding

if TYPE_CHECKING:
    from harness.config.run import RunConfig

PROTOCOL = "@"


def measure_of(label: str) -> str:
    """Return a label without its protocol: `FID` for `FID@10k train`. Only values of equal measures are comparable."""
    return label.partition(PROTOCOL)[0]


class Work(NamedTuple):
    """The number of network passes over one example, and the FLOPs of each (two per multiply-add)."""

    passes: int
    flops: float

    @property
    def total(self) -> float:
        """The FLOPs of all passes."""
        return self.passes * self.flops


class Evaluation(Family):
    """A protocol that turns a trained model into numbers.

    `needs` are the capabilities required of the model. `implementation` names a function `(evaluation, subject)` of a
    `harness.evaluation.base.Subject` that returns an `EvaluationResult`. `after` selects the EMA weights by fraction of
    training, in tenths; 1 is the end. `secondary` names quantities that are reported although no exhibit has a column
    for them (`harness.registry.metrics.secondary`). `recomputations` names, as `module:NAME`, a tuple of
    `harness.recheck.recomputation.Recomputation`s, with which `recheck` computes the quantities from the stored arrays;
    `unrepeatable` says why there can be none.
    """

    implementation: ClassVar[str]
    recomputations: ClassVar[str] = ""
    unrepeatable: ClassVar[str] = ""
    needs: ClassVar[frozenset[str]] = frozenset()
    secondary: ClassVar[tuple[str, ...]] = ()

    after: float = Field(1.0, gt=0, le=1, multiple_of=0.1)

    @property
    def id(self) -> str:
        """The kind and a prefix of the digest; names the evaluation's files in a run directory."""
        return self.id_of(self.kind, self.digest)

    @property
    def tenths(self) -> int:
        """The tenths of the training after which it measures."""
        return round(10 * self.after)

    @staticmethod
    def id_of(kind: str, digest: str) -> str:
        """Return the id of an evaluation by its kind and the SHA-256 of its canonical form."""
        return f"{kind}-{digest[:8]}"

    @staticmethod
    def id_of_stored(document: Mapping[str, Any]) -> str:
        """Return the id of an evaluation by its stored settings, which no installed kind needs to know."""
        return Evaluation.id_of(str(document.get("kind")), sha256_of_json(document))

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """The datasets needed besides that of the run."""
        return tuple(self.datasets_by_field.values())

    @property
    def datasets_by_field(self) -> dict[str, Dataset]:
        """The datasets among the settings, by the name of the field."""
        settings = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: setting for name, setting in settings if isinstance(setting, Dataset)}

    def work(self, config: "RunConfig") -> Work:
        """Return the network's work for evaluating a run, by which `plan` scales measured times.

        Excludes feature extraction and distances between features. The default is one pass over the split named by a
        field `split`, else the test split, else the largest split.
        """
        examples = config.data.splits
        return Work(examples.get(getattr(self, "split", "test"), max(examples.values())), cheapest_pass(config))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the printed label of each measured quantity. Labels must name the feature space."""
        raise NotImplementedError(f"{type(self).__name__} does not define the labels of its quantities")

    @property
    def embedding(self) -> Embedding | None:
        """The feature space of the measurement, None if there is none."""
        return None

    def disk_bytes(self, data: Dataset) -> int:
        """Return the approximate bytes of the arrays stored with the record."""
        return 0

    def reduced(self, items: int) -> Self:
        """Return the protocol on at most `items` items, with the tensor shapes of the full one, for rehearsals.

        Its results are meaningless. For protocols that cover a split, the caller shortens the split.
        """
        return self.but(after=1.0)

    @classmethod
    def accepts(cls, settings: Iterable[str]) -> bool:
        """Return whether the protocol has all of these settings."""
        return set(settings) <= set(cls.model_fields)


def cost_of(config: "RunConfig", name: str) -> float:
    """Return the FLOPs of a pass of one example; for methods without this pass, of their cheapest pass."""
    if name in config.method.passes:
        return config.network.flops(config.data, name)
    return cheapest_pass(config)


def cheapest_pass(config: "RunConfig") -> float:
    """Return the FLOPs of the method's cheapest pass of one example."""
    return min((config.network.flops(config.data, name) for name in config.method.passes), default=0.0)
