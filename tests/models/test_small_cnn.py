"""The small CNN against convolutions as sums over pixels."""

import pytest
import torch

from harness.config.dataset import Images
from harness.models.small_cnn import SmallCNN


def convolve(images, module, stride):
    """Multiply the 3x3 neighbourhood of every pixel by the kernel; pixels beyond the border are zero."""
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1))
    size = range(0, images.shape[-1], stride)
    rows = [[padded[:, :, y : y + 3, x : x + 3].flatten(1) @ module.weight.flatten(1).T for x in size] for y in size]
    made = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    return made + module.bias[:, None, None]


@pytest.mark.parametrize("size", [6, 7])
def test_features_and_logits_equal_sums_over_pixels(size):
    data = Images(name="c", image_size=size, channels=3, num_classes=7, train_examples=10, test_examples=10)
    torch.manual_seed(0)
    network = SmallCNN(data, features=5).double()
    images = torch.randn(4, 3, size, size, dtype=torch.float64)
    features, logits = network(images)
    h = convolve(convolve(images, network.conv1, 1).clamp(min=0), network.conv2, 2).clamp(min=0)
    expected = (h.flatten(1) @ network.hidden.weight.T + network.hidden.bias).clamp(min=0)
    torch.testing.assert_close(features, expected)
    torch.testing.assert_close(logits, expected @ network.head.weight.T + network.head.bias)
    assert features.shape == (4, 5)
    assert logits.shape == (4, 7)
    assert (h.shape[1], SmallCNN(data).hidden.out_features) == (32, 48)
