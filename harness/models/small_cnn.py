"""A small CNN classifier; its penultimate layer is the feature space for small images."""

import torch.nn.functional as F
from torch import Tensor, nn

from harness.config.dataset import Images


class SmallCNN(nn.Module):
    """Two 3x3 convolutions, the second with stride 2, and one hidden layer of `features` units."""

    def __init__(self, data: Images, features: int = 48) -> None:
        super().__init__()
        half = (data.image_size + 1) // 2
        self.conv1 = nn.Conv2d(data.channels, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1, stride=2)
        self.hidden = nn.Linear(32 * half**2, features)
        self.head = nn.Linear(features, data.num_classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features `(batch, features)` and the logits of images in [-1, 1]."""
        h = F.relu(self.conv2(F.relu(self.conv1(images))))
        features = F.relu(self.hidden(h.flatten(1)))
        return features, self.head(features)
