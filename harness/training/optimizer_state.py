"""The state of an optimiser as named tensors, and back, exactly.

Most optimisers keep tensors alone, which are named `INDEX.SLOT` after the parameter. Others keep Python values beside
them, or change the options of their group while they train: these are written as JSON, in a tensor of its bytes.
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
"""What a group is given from elsewhere in every step."""


class OptimizerState:
    """Turns the state of an optimiser into named tensors and back. It has to be made before the first step."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        self._built = [copy.deepcopy(_options(group)) for group in optimizer.param_groups]

    def flat(self) -> dict[str, Tensor]:
        """Return the state by name: what the optimiser keeps, and the options that have changed since it was made.

        Raises `HarnessError` for a value that no checkpoint can hold.
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
        """Go on from a state that `flat` returned.

        Raises `KeyError` or `ValueError` when it is that of another optimiser.
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
        """Take back what torch does to a state that it loads: it casts numbers to the type of the weights."""
        parameters = [parameter for group in self._optimizer.param_groups for parameter in group["params"]]
        for index, slots in state.items():
            if isinstance(index, int) and isinstance(slots, dict):
                kept = self._optimizer.state[parameters[index]]
                kept.update({slot: _exact(kept[slot], value) for slot, value in slots.items() if slot in kept})


class _Packing:
    """Turns Python values into what JSON can hold, and puts the tensors among them aside."""

    def __init__(self, owner: str) -> None:
        self.tensors: list[Tensor] = []
        self._owner = owner

    def __call__(self, value: Any) -> Any:
        """Return a value in the form of JSON."""
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
            f"optimizer {self._owner} keeps a {type(value).__name__} in its state: a checkpoint holds tensors, "
            "numbers, text, None, and lists, tuples and dictionaries of these"
        )


def _unpacked(node: Any, packed: Mapping[str, Tensor]) -> Any:
    """Return the Python value that a form of JSON stands for."""
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
    """Tell whether an option is certainly what it was when the optimiser was made."""
    if name not in built or isinstance(value, Tensor) or type(value) is not type(built[name]):
        return False
    try:
        return bool(value == built[name])
    except (RuntimeError, ValueError):  # a list of tensors has no truth
        return False


def _exact(loaded: Any, value: Any) -> Any:
    """Return a value as it was saved, its tensors on the device on which they were loaded."""
    if isinstance(value, Tensor):
        return loaded if loaded.dtype == value.dtype else value.to(loaded.device)
    if isinstance(value, dict):
        return {key: _exact(loaded[key], part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_exact(*pair) for pair in zip(loaded, value, strict=True))
    return value
