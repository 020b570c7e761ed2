"""What a specification needs to know of a dataset: its shape and its size."""

from pydantic import NonNegativeInt, PositiveInt

from harness.spec.config import Config


class Dataset(Config):
    """A labelled image dataset, as far as planning needs it: names and numbers, no pixels.

    Without training examples it serves evaluations only, and none are prepared.
    """

    name: str
    image_size: PositiveInt
    channels: PositiveInt
    num_classes: PositiveInt
    train_examples: NonNegativeInt
    test_examples: PositiveInt

    @property
    def pixels(self) -> int:
        """The number of values in one image."""
        return self.channels * self.image_size**2

    @property
    def splits(self) -> dict[str, int]:
        """The number of images of each split that there is."""
        counts = {"train": self.train_examples, "test": self.test_examples}
        return {split: count for split, count in counts.items() if count}

    def first(self, count: int) -> "Dataset":
        """Return the dataset of the first so many images of each split, all where there are fewer."""
        return self.but(
            train_examples=min(self.train_examples, count),
            test_examples=min(self.test_examples, count),
        )
