"""Kinds as external users write them: plain modules, methods without classes, an optimiser with unusual state."""

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import nn

from harness.config.augmentation import Augmentation
from harness.config.interfaces import FORWARD, LOGITS
from harness.config.methods import Classification, Method, Validation
from harness.config.networks import Network
from harness.config.optimisation import Optimizer
from harness.config.run import RunConfig
from harness.config.training import Training
from harness.data.catalogue import DIGITS
from harness.methods.base import Loss, SingleNetworkMethod

TOKENS = 17


class MLP(nn.Module):
    """Flattened images through two layers, with a mix of torch's layers in between."""

    def __init__(self, inputs, hidden, outputs, dropout=0.0, norm=False):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.norm = NormAct(hidden) if norm else nn.ReLU()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.head(self.dropout(self.norm(self.hidden(x.flatten(1)))))


class NormAct(nn.BatchNorm1d):
    """BatchNorm and ReLU in one module, as in timm."""

    def forward(self, x):
        momentum = 0.0 if self.momentum is None else self.momentum
        statistics = self.running_mean, self.running_var
        if self.training:
            self.num_batches_tracked.add_(1)
        return F.batch_norm(x, *statistics, self.weight, self.bias, self.training, momentum, self.eps).relu()


class Centred(nn.Module):
    """Subtracts the running mean, a buffer that is replaced by a new tensor each time."""

    def __init__(self, features):
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
            self.seen = self.seen + 1
        return x - self.mean


class Tokens(nn.Module):
    """Predicts each token from the previous ones; the embedding is tied to the output layer."""

    def __init__(self, width, length):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, width)
        self.positions = nn.Parameter(torch.randn(length, width) / 10)
        self.layer = nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.1, batch_first=True)
        self.head = nn.Linear(width, TOKENS, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens, causal=True):
        length = tokens.shape[1]
        mask = torch.full((length, length), float("-inf"), device=tokens.device).triu(1) if causal else None
        return self.head(self.layer(self.embedding(tokens) + self.positions, src_mask=mask))


class PlainMLP(Network):
    """An MLP whose `forward` implements the pass that the method needs."""

    kind: Literal["foreign_mlp"] = "foreign_mlp"
    implementation: ClassVar[str] = "foreign:build_mlp"
    passes: ClassVar[frozenset[str]] = frozenset({LOGITS})

    hidden: int = 12
    dropout: float = 0.0
    norm: bool = False
    centred: bool = False


class Regressor(PlainMLP):
    """The same with one number as its output."""

    kind: Literal["foreign_regressor"] = "foreign_regressor"
    passes: ClassVar[frozenset[str]] = frozenset({FORWARD})


class TokenNetwork(Network):
    """A small transformer."""

    kind: Literal["foreign_tokens"] = "foreign_tokens"
    implementation: ClassVar[str] = "foreign:build_tokens"

    width: int = 8


def build_mlp(config, data):
    outputs = data.num_classes if LOGITS in config.passes else 1
    network = MLP(data.dimensions, config.hidden, outputs, config.dropout, config.norm)
    return nn.Sequential(network, Centred(outputs)) if config.centred else network


def build_tokens(config, data):
    return Tokens(config.width, data.dimensions)


class Regression(Method):
    """Squared error of the label, treated as a number."""

    kind: Literal["foreign_regression"] = "foreign_regression"
    implementation: ClassVar[str] = "foreign:RegressionModel"
    passes: ClassVar[frozenset[str]] = frozenset({FORWARD})
    validation: ClassVar[Validation | None] = Validation("mse", "lower", "foreign:squared_errors")


class NextToken(Method):
    """Cross-entropy of every token, given the previous tokens."""

    kind: Literal["foreign_next_token"] = "foreign_next_token"
    implementation: ClassVar[str] = "foreign:TokenModel"
    passes: ClassVar[frozenset[str]] = frozenset({FORWARD})
    validation: ClassVar[Validation | None] = Validation("nll", "lower", "foreign:token_losses")


class RegressionModel(SingleNetworkMethod):
    def __init__(self, config, network, data):
        super().__init__(network, data)

    def augmentations(self):
        return {"observed": Augmentation()}

    def training_step(self, step):
        loss = squared_errors(self, step.batches["observed"]).mean()
        yield Loss("network", loss, {"squared_error": loss.detach()})


class TokenModel(RegressionModel):
    def training_step(self, step):
        loss = token_losses(self, step.batches["observed"]).mean()
        yield Loss("network", loss, {"token_loss": loss.detach()})


def squared_errors(model, batch):
    return (model.network(batch.images)[:, 0] - batch.labels / 9).square()


def token_losses(model, batch):
    tokens = ((batch.images.flatten(1) + 1) * (TOKENS - 1) / 2).round().long()
    before = F.pad(tokens[:, :-1], (1, 0))
    return F.cross_entropy(model.network(before, causal=True).mT, tokens, reduction="none").mean(1)


class OddSGD(Optimizer):
    """Gradient descent by an optimiser with unusual state."""

    kind: Literal["foreign_odd_sgd"] = "foreign_odd_sgd"
    implementation: ClassVar[str] = "foreign:Odd"

    gain: float = 1.0


class Bare(Optimizer):
    """An optimiser with only a learning rate; tests set its implementation."""

    kind: Literal["foreign_bare"] = "foreign_bare"
    implementation: ClassVar[str] = "torch.optim:SGD"


class Odd(torch.optim.Optimizer):
    """Has state of many types: numbers, None, bool, str, list, tensors of several dtypes, and changing options."""

    def __init__(self, parameters, lr, gain):
        super().__init__(parameters, {"lr": lr, "gain": gain, "limits": (0.5, 2.0), "rule": torch.clamp})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            group["steps"] = group.get("steps", 0) + 1
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state |= {"calls": 0, "last": None, "flipped": False, "name": "odd", "history": []}
                    state |= {"sum": torch.zeros((), dtype=torch.float64), "count": torch.tensor(0)}
                state["calls"] += 1
                state["flipped"] = not state["flipped"]
                state["last"] = parameter.grad.norm().item() / 3
                state["history"] = [*state["history"][-1:], parameter.grad.mean().double()]
                state["sum"] += parameter.grad.double().square().sum()
                state["count"] += 1
                # Every number matters for the next weights.
                scale = group["gain"] * (1 + 0.1 * state["flipped"]) / (1 + state["calls"] * state["last"])
                scale /= 1 + state["sum"].item() / state["count"].item() + float(sum(state["history"]))
                parameter.add_(
                    parameter.grad, alpha=-group["lr"] * float(group["rule"](torch.tensor(scale), *group["limits"]))
                )
            group["gain"] *= 0.99 + 0.001 * (group["steps"] % 3)


TRAINING = Training(epochs=2, batch_size=60, passes_per_epoch=1, warmup_epochs=1, ema_decay=0.9, learning_rate=5e-3)
MLP_RUN = RunConfig(data=DIGITS, network=PlainMLP(dropout=0.3), method=Classification(), training=TRAINING)
REGRESSION_RUN = RunConfig(data=DIGITS, network=Regressor(), method=Regression(), training=TRAINING)
TOKEN_RUN = RunConfig(data=DIGITS, network=TokenNetwork(), method=NextToken(), training=TRAINING)
