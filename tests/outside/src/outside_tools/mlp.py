"""A plain multi-layer perceptron."""

from torch import Tensor, nn


class MLP(nn.Module):
    """Flattens its inputs and applies `depth` layers with ReLU and dropout, then a linear head."""

    def __init__(self, inputs: int, width: int, depth: int, outputs: int, dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number in range(depth):
            layers += [nn.Linear(width if number else inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        self.body = nn.Sequential(nn.Flatten(), *layers)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(batch, outputs)`."""
        result: Tensor = self.head(self.body(x))
        return result
