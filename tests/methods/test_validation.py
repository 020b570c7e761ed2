"""Validation metrics by hand."""

import torch
from labelled import batch_of
from linear_networks import Linear

from harness.methods.validation import accuracy


def test_accuracy_is_100_for_each_example_whose_class_has_the_largest_logit():
    """The first three pixels are the logits."""
    model = Linear()
    with torch.no_grad():
        model.weight.copy_(torch.eye(4)[:3])
    images = torch.tensor([[0.1, 0.9, -1, 5], [0.3, 0.2, -0.4, 5], [-0.3, -0.2, -0.1, 5], [0.3, 0.2, 0.1, 5]])
    batch = batch_of(images.reshape(4, 1, 2, 2), torch.tensor([1, 1, 2, 2]))
    found = accuracy(model, batch)
    assert found.tolist() == [100, 0, 100, 0]
    assert found.dtype == torch.float64
