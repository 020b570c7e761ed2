"""What a specification needs to know of a dataset: its shape and its size."""

from pydantic import PositiveInt

from harness.spec.config import Config


class Dataset(Config):
    """A labelled image dataset, as far as planning needs it: names and numbers, no pixels."""

    name: str
    image_size: PositiveInt
    channels: PositiveInt
    num_classes: PositiveInt
    train_examples: PositiveInt
    test_examples: PositiveInt

    @property
    def pixels(self) -> int:
        """The number of values in one image."""
        return self.channels * self.image_size**2
