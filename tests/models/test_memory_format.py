"""Channels-last images, where they speed up convolutions."""

import torch

from harness.models.base import channels_last


class OnGPU(torch.Tensor):
    """Pretends to be on a GPU."""

    is_cuda = True


def test_only_images_on_a_gpu_become_channels_last():
    images = torch.rand(2, 3, 4, 4)
    assert channels_last(images) is images
    converted = channels_last(images.as_subclass(OnGPU))
    assert converted.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(converted, images)
