"""Exact conversion of optimiser state to named tensors and back.

Most optimisers hold only tensors, named `INDEX.SLOT` after the parameter. Other Python values, and options that change
during training, are stored as JSON in a tensor of bytes.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from harness.errors import HarnessError

VALUES = "values"
GIVEN = frozenset({"params", "lr"})
"""Group entries set from outside in every step, and so not stored."""


class OptimizerState:
    """Converts the state of an optimiser to named tensors and back. Create it before the first step."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._built = [copy.deepcopy(_options(group)) for group in optimizer.param_groups]

    def flat(self) -> dict[str, Tensor]:
        """Return the optimiser's state and the options changed since its construction, as named tensors.

        Raises `HarnessError` for values that checkpoints cannot hold.
        """
        flat: dict[str, Tensor] = {}
        pack = _Packing(type(self._optimizer).__name__)
        document = self._optimizer.state_dict()
        unusual: list[list[Any]] = []
        for index, slots in document.pop("state").items():
            if isinstance(index, int) and _are_tensors(slots):
                flat |= {f"{index}.{slot}": value for slot, value in slots.items()}
            else:
                unusual.append([index, pack(slots)])
        groups = [
            {name: pack(value) for name, value in _options(group).items() if not _is_same(name, value, built)}
            for group, built in zip(document.pop("param_groups"), self._built, strict=True)
        ]
        if unusual or any(groups) or document:
            text = json.dumps({"state": unusual, "groups": groups, "further": pack(document)})
            flat[VALUES] = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
            flat |= {f"{VALUES}.{number}": tensor for number, tensor in enumerate(pack.tensors)}
        return flat

    def load(self, flat: Mapping[str, Tensor]) -> None:
        """Restore the output of `flat`.

        Raises `KeyError` or `ValueError` if it belongs to another optimiser.
        """
        state: dict[Any, Any] = {}
        packed = {name: tensor for name, tensor in flat.items() if name.partition(".")[0] == VALUES}
        for name, tensor in flat.items():
            if name not in packed:
                index, _, slot = name.partition(".")
                state.setdefault(int(index), {})[slot] = tensor
        values: dict[str, Any] = {"state": [], "groups": [{} for _ in self._built], "further": None}
        if packed:
            values = json.loads(bytes(packed[VALUES].tolist()))
        state |= {index: _unpacked(slots, packed) for index, slots in values["state"]}
        groups = [
            {name: group[name] for name in GIVEN & group.keys()}
            | copy.deepcopy(built)
            | {name: _unpacked(value, packed) for name, value in changed.items()}
            for group, built, changed in zip(
                self._optimizer.state_dict()["param_groups"], self._built, values["groups"], strict=True
            )
        ]
        further = _unpacked(values["further"], packed) or {}
        self._optimizer.load_state_dict({**further, "state": state, "param_groups": groups})
        self._make_exact(state)

    def _make_exact(self, state: Mapping[Any, Any]) -> None:
        """Restore the original dtypes: torch casts loaded state to the dtype of the weights."""
        parameters = [parameter for group in self._optimizer.param_groups for parameter in group["params"]]
        for index, slots in state.items():
            if isinstance(index, int) and isinstance(slots, dict):
                kept = self._optimizer.state[parameters[index]]
                kept.update({slot: _exact(kept[slot], value) for slot, value in slots.items() if slot in kept})


class _Packing:
    """Encodes Python values as JSON and collects the tensors among them."""

    def __init__(self, owner: str) -> None:
        self.tensors: list[Tensor] = []
        self._owner = owner

    def __call__(self, value: Any) -> Any:
        """Return a value encoded for JSON."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, Tensor):
            self.tensors.append(value)
            return {"tensor": len(self.tensors) - 1}
        if type(value) in (list, tuple):
            return {type(value).__name__: [self(part) for part in value]}
        if isinstance(value, dict):
            return {"dict": [[self(key), self(part)] for key, part in value.items()]}
        raise HarnessError(
            f"optimizer {self._owner} has a {type(value).__name__} in its state: checkpoints hold only tensors, "
            "numbers, strings, None, and lists, tuples and dictionaries of these"
        )


def _unpacked(node: Any, packed: Mapping[str, Tensor]) -> Any:
    """Decode a value that `_Packing` encoded."""
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    match kind:
        case "tensor":
            return packed[f"{VALUES}.{content}"]
        case "list" | "tuple":
            parts = [_unpacked(part, packed) for part in content]
            return parts if kind == "list" else tuple(parts)
        case _:
            return {_unpacked(key, packed): _unpacked(part, packed) for key, part in content}


def _are_tensors(slots: Any) -> bool:
    return isinstance(slots, dict) and all(isinstance(value, Tensor) for value in slots.values())


def _options(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name not in GIVEN}


def _is_same(name: str, value: Any, built: Mapping[str, Any]) -> bool:
    """Return whether an option is certainly unchanged since the optimiser's construction."""
    if name not in built or isinstance(value, Tensor) or type(value) is not type(built[name]):
        return False
    try:
        return bool(value == built[name])
    except (RuntimeError, ValueError):  # comparing lists of tensors may be ambiguous
        return False


def _exact(loaded: Any, value: Any) -> Any:
    """Return a value as saved, with its tensors on the device of the loaded ones."""
    if isinstance(value, Tensor):
        return loaded if loaded.dtype == value.dtype else value.to(loaded.device)
    if isinstance(value, dict):
        return {key: _exact(loaded[key], part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_exact(*pair) for pair in zip(loaded, value, strict=True))
    return value
