"""A recurrent network over tokens."""

from torch import Tensor, nn


class TokenGRU(nn.Module):
    """A GRU that predicts the next token after each token."""

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits `(batch, length, vocabulary)` of the token after each of `tokens` `(batch, length)`."""
        states, _ = self.gru(self.embedding(tokens))
        result: Tensor = self.head(states)
        return result
