"""A training run: the configuration that determines its result, and its id."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import NonNegativeInt, model_validator

from harness.config.base import Config, sha256_of_json
from harness.config.dataset import AnyDataset
from harness.config.interfaces import Capability, Pass
from harness.config.methods import AnyMethod
from harness.config.networks import AnyNetwork, Network
from harness.config.training import Training
from harness.errors import SpecError

SEMANTICS = 2
"""Raise this when every configuration starts to compute something else; for a single kind, raise its `revision`."""

ID_LENGTH = 12

WATCHED = "test"
"""The split shown in curves. It does not affect the result unless the configuration selects by it."""


def identity(fields: Mapping[str, Any]) -> str:
    """Return the id of the run with these configuration fields: a prefix of their SHA-256."""
    return sha256_of_json(fields)[:ID_LENGTH]


class RunConfig(Config):
    """The complete resolved configuration of a run. Its id depends on exactly these fields."""

    shrinks: ClassVar[Mapping[str, str]] = {"data": "data"}

    semantics: int = SEMANTICS
    data: AnyDataset
    network: AnyNetwork
    method: AnyMethod
    training: Training
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _parts_fit(self) -> "RunConfig":
        Capability.refuse_unknown(self.method.capabilities, f"method '{self.method.kind}'")
        Pass.refuse_unknown(self.method.passes, f"method '{self.method.kind}'")
        Pass.refuse_unknown(self.network.passes, f"network '{self.network.kind}'")
        self.network.check(self.data)
        self.method.check(self.data, self.training)
        self._selection_is_possible()
        return self

    def _selection_is_possible(self) -> None:
        select = self.training.select
        if select is None:
            return
        if self.method.validation is None:
            raise SpecError(f"method '{self.method.kind}' has no validation value to select the best state by")
        self.data.examples(select.split)

    @property
    def model_kind(self) -> str:
        """The method and the network by kind, such as `hybrid vit`: models of a kind have alike noise between seeds."""
        return f"{self.method.kind} {self.network.kind}"

    @property
    def validated_splits(self) -> tuple[str, ...]:
        """The splits to compute the validation value on after each epoch, empty if the method has no such value."""
        watched = (WATCHED,) if WATCHED in self.data.splits else ()
        chosen = (self.training.select.split,) if self.training.select is not None else ()
        return tuple(dict.fromkeys(watched + chosen)) if self.method.validation is not None else ()

    @property
    def deciding_value(self) -> str | None:
        """The name in curves of the value that selects the best state, None if the last state is kept."""
        select, validation = self.training.select, self.method.validation
        return f"{select.split}_{validation.name}" if select is not None and validation is not None else None

    @model_validator(mode="after")
    def _network_fits_method(self) -> "RunConfig":
        missing = self.method.passes - self.network.passes
        if missing:
            fitting = Network.kinds_with(self.method.passes)
            raise SpecError(
                f"network '{self.network.kind}' has no {' and no '.join(sorted(missing))}, which method "
                f"'{self.method.kind}' needs: allowed: {', '.join(fitting)}"
            )
        return self


class Run:
    """A named run. Runs with equal configurations are equal, whatever their names.

    >>> HYBVIT.but(alpha=1).name
    'hybvit alpha=1'
    """

    def __init__(self, name: str, config: RunConfig) -> None:
        self.name = name
        self.config = config

    @property
    def id(self) -> str:
        """The first twelve hexadecimal digits of the configuration's SHA-256."""
        return self.config.digest[:ID_LENGTH]

    def ids(self, seeds: Iterable[int]) -> Iterator[str]:
        """Yield the ids of the run for these seeds, without building a run for each."""
        fields = self.config.model_dump(mode="json")
        for seed in seeds:
            yield identity({**fields, "seed": seed})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self.config == other.config

    def __hash__(self) -> int:
        return hash(self.config.digest)

    def __repr__(self) -> str:
        return f"Run({self.name!r}, {self.id})"

    def but(self, path: str = "", value: Any = None, /, **changes: Any) -> Self:
        """Return a variant with the changes in its name; `path` is as in `Config.but`.

        Raises `SpecError` for an unknown field or an invalid value.
        """
        named = {path: value, **changes} if path else changes
        suffix = " ".join(f"{key}={_short(value)}" for key, value in named.items())
        return type(self)(f"{self.name} {suffix}", self.config.but(path, value, **changes))

    def called(self, name: str) -> Self:
        """Return the same run under another name."""
        return type(self)(name, self.config)

    def with_config(self, **changes: Any) -> Self:
        """Return a run of the same name with some fields changed, as scales do."""
        return type(self)(self.name, self.config.but(**changes))

    @property
    def parameters(self) -> int:
        """The number of parameters of all trained networks."""
        return self.config.method.parameters(self.config.network, self.config.data)

    @property
    def iterations(self) -> int:
        """The number of optimiser steps."""
        return self.config.training.iterations(self.config.data)

    @property
    def train_flops(self) -> float:
        """The FLOPs of the whole training, two per multiply-add."""
        per_example = self.config.method.train_flops(self.config.network, self.config.data)
        return self.iterations * self.config.training.batch_size * per_example


def _short(value: Any) -> str:
    return str(getattr(value, "name", value.digest[:6])) if isinstance(value, Config) else str(value)
