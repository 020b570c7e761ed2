"""The training state: a flat dictionary of tensors, with names prefixed by their part."""

from collections.abc import Mapping

from torch import Tensor


def below(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a part, without its prefix."""
    start = f"{prefix}."
    return {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}


def under(prefix: str, part: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a part, with its prefix."""
    return {f"{prefix}.{key}": value for key, value in part.items()}


def evaluated_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights to evaluate: the selected best ones, else the method's state with the EMA weights.

    Other state of the method, such as a replay buffer, is used unchanged.
    """
    return below("best.weights", state) or below("method", state) | below("ema", state)


def evaluated_step(state: Mapping[str, Tensor], step: int) -> int:
    """Return the step of the weights to evaluate in a state saved after `step`."""
    return int(state.get("best.step", step))
