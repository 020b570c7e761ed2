"""Dataset configurations: the named fields of an example and the sizes of the splits."""

from math import prod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    SerializeAsAny,
    field_validator,
    model_validator,
)

from harness.config.base import Config
from harness.config.family import Family
from harness.errors import SpecError, unknown

DType = Literal["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
ITEM_BYTES = {
    "float16": 2, "float32": 4, "float64": 8, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "bool": 1,
}  # fmt: skip


class ArrayField(Config):
    """A field of every example: the shape of its array without the batch axis, and its dtype.

    With `below`, values are integers from 0 to `below - 1`, such as tokens or classes.
    """

    left_out: ClassVar[frozenset[str]] = frozenset({"below"})

    shape: tuple[NonNegativeInt, ...] = ()
    dtype: DType = "float32"
    below: PositiveInt | None = None

    @property
    def size(self) -> int:
        """The number of values."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """The bytes of one example's array."""
        return self.size * ITEM_BYTES[self.dtype]


class Dataset(Family):
    """Metadata of a dataset, enough for planning without loading it.

    `num_classes` is 0 if examples have no class. `inputs` names the input field of models, `targets` the field to
    predict, empty if there is none. A split without examples does not exist.
    """

    unmarked: ClassVar[str] = "images"

    name: str

    if TYPE_CHECKING:  # fields of some kinds, properties of others
        num_classes: int

        @property
        def splits(self) -> dict[str, int]:
            """The number of examples of each existing split."""

        @property
        def inputs(self) -> str:
            """The input field of models."""

        @property
        def targets(self) -> str:
            """The field to predict, empty if there is none."""

    @property
    def stored(self) -> dict[str, ArrayField]:
        """The fields of an example on disk, by name."""
        raise NotImplementedError

    @property
    def example_shape(self) -> tuple[int, ...]:
        """The shape of one example of `inputs`."""
        return self.stored[self.inputs].shape

    @property
    def dimensions(self) -> int:
        """The number of values of one example of `inputs`."""
        return self.stored[self.inputs].size

    @property
    def example_bytes(self) -> int:
        """The bytes of an example on disk, over all fields."""
        return sum(field.bytes for field in self.stored.values())

    def examples(self, split: str) -> int:
        """Return the number of examples of a split.

        Raises `SpecError` for an unknown split.
        """
        if split not in self.splits:
            raise unknown(f"split of dataset '{self.name}'", split, self.splits)
        return self.splits[split]

    def first(self, count: int) -> Self:
        """Return the dataset with at most the first `count` examples of each split."""
        raise NotImplementedError


class Images(Dataset):
    """Square images with `levels` values per channel, and labels from 0 to `num_classes - 1` if there are classes.

    A dataset without training examples is for evaluation only. `further_splits` are splits other than train and test,
    such as a validation split.
    """

    left_out: ClassVar[frozenset[str]] = frozenset({"levels", "further_splits"})

    kind: Literal["images"] = "images"
    image_size: PositiveInt
    channels: PositiveInt
    num_classes: NonNegativeInt
    train_examples: NonNegativeInt
    test_examples: PositiveInt
    levels: int = Field(256, ge=2, le=256)
    further_splits: dict[str, PositiveInt] = Field(default_factory=dict)

    @property
    def splits(self) -> dict[str, int]:
        """The number of images of each existing split."""
        counts = {"train": self.train_examples, "test": self.test_examples, **self.further_splits}
        return {split: count for split, count in counts.items() if count}

    @property
    def inputs(self) -> str:
        """The images."""
        return "images"

    @property
    def targets(self) -> str:
        """The labels, empty if there are no classes."""
        return "labels" if self.num_classes else ""

    @property
    def stored(self) -> dict[str, ArrayField]:
        """Images `(channels, size, size)` uint8, and labels int64."""
        shape = (self.channels, self.image_size, self.image_size)
        images = ArrayField(shape=shape, dtype="uint8", below=self.levels)
        labels = {"labels": ArrayField(dtype="int64", below=self.num_classes)} if self.num_classes else {}
        return {"images": images, **labels}

    @property
    def pixels(self) -> int:
        """The number of values in one image."""
        return self.channels * self.image_size**2

    def first(self, count: int) -> Self:
        """Return the dataset with at most the first `count` images of each split."""
        return self.but(
            train_examples=min(self.train_examples, count),
            test_examples=min(self.test_examples, count),
            further_splits={split: min(size, count) for split, size in self.further_splits.items()},
        )


class Arrays(Dataset):
    """Examples made of named arrays: tables, tokens, text as bytes, points, regression targets.

    A field is `ArrayField(...)` or `(shape, dtype)`. Models take the first field unless `input` names another, and
    predict the last one unless `target` names another or is empty.
    """

    left_out: ClassVar[frozenset[str]] = frozenset({"num_classes"})

    kind: Literal["arrays"] = "arrays"
    fields: dict[str, ArrayField] = Field(min_length=1)
    splits: dict[str, PositiveInt] = Field(min_length=1)
    num_classes: NonNegativeInt = 0
    input: str = ""
    target: str = ""

    @model_validator(mode="before")
    @classmethod
    def _by_order(cls, values: Any) -> Any:
        """Resolve input and target while the field order is known: the canonical form sorts its keys."""
        fields = values.get("fields")
        if not isinstance(fields, dict) or not fields:
            return values
        first, *others = map(str, fields)
        pairs = {name: _from_pair(field) for name, field in fields.items()}
        named = {"target": others[-1] if others else "", **values, "fields": pairs}
        return {**named, "input": values.get("input") or first}

    @field_validator("fields", "splits")
    @classmethod
    def _valid_names(cls, named: dict[str, Any]) -> dict[str, Any]:
        for name in named:
            if not name.isidentifier():
                raise SpecError(f"invalid name '{name}': allowed: letters, digits and underscores")
        return named

    @model_validator(mode="after")
    def _names_fields(self) -> Self:
        for name in filter(None, (self.input, self.target)):
            if name not in self.fields:
                raise unknown(f"field of dataset '{self.name}'", name, self.fields)
        return self

    @property
    def inputs(self) -> str:
        """The input field of models."""
        return self.input

    @property
    def targets(self) -> str:
        """The field to predict, empty if there is none."""
        return self.target

    @property
    def stored(self) -> dict[str, ArrayField]:
        """The fields; with classes, the values of the target are below `num_classes`."""
        target = self.fields.get(self.targets)
        if target is None or not self.num_classes:
            return dict(self.fields)
        return {**self.fields, self.targets: target.but(below=self.num_classes)}

    def first(self, count: int) -> Self:
        """Return the dataset with at most the first `count` examples of each split."""
        return self.but(splits={split: min(size, count) for split, size in self.splits.items()})


def _from_pair(field: Any) -> Any:
    """Convert a `(shape, dtype)` pair to the fields of an `ArrayField`; return any other value unchanged."""
    if isinstance(field, tuple | list) and len(field) == 2 and isinstance(field[0], tuple | list):
        return {"shape": tuple(field[0]), "dtype": field[1]}
    return field


AnyDataset = Annotated[SerializeAsAny[Dataset], BeforeValidator(Dataset.read)]


def images_of(data: Dataset, user: Family) -> Images:
    """Narrow a dataset to `Images`.

    Raises `SpecError` for any other dataset, naming the configuration that needs images.
    """
    if isinstance(data, Images):
        return data
    raise SpecError(f"{user.role} '{user.kind}' needs images: dataset '{data.name}' holds {data.kind}")
