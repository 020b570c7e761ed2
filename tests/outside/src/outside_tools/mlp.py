"""A multi-layer perceptron as one would write it anywhere."""

from torch import Tensor, nn


class MLP(nn.Module):
    """Flattens its inputs and sends them through some layers with ReLU and dropout."""

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
