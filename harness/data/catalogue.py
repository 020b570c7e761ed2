"""The datasets that runs may name. Imports no torch and touches no file."""

from harness.spec.data import Dataset

DIGITS = Dataset(name="digits", image_size=8, channels=1, num_classes=10, train_examples=1437, test_examples=360)
CIFAR10 = Dataset(
    name="cifar10", image_size=32, channels=3, num_classes=10, train_examples=50_000, test_examples=10_000
)
