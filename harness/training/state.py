"""The state of a training: one flat dictionary of tensors, whose names begin with the part that they belong to."""

from collections.abc import Mapping

from torch import Tensor


def below(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a part by their names within it."""
    start = f"{prefix}."
    return {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}


def under(prefix: str, part: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a part by their names within the whole state."""
    return {f"{prefix}.{key}": value for key, value in part.items()}


def evaluated_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what is evaluated of a state: the best one in it, else the method's own with the EMA weights.

    What a method keeps beside its weights, such as a replay buffer, is evaluated as it stands.
    """
    return below("best.weights", state) or below("method", state) | below("ema", state)


def evaluated_step(state: Mapping[str, Tensor], step: int) -> int:
    """Return the step that the evaluated weights of a state, saved after `step`, were reached in."""
    return int(state.get("best.step", step))
