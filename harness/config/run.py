"""A training run: everything that decides its result, and the identity that follows from it."""

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
"""Raised when every configuration starts to compute something else; a kind that does alone raises its `revision`."""

ID_LENGTH = 12

WATCHED = "test"
"""The split that curves show; nothing is decided by it unless the configuration says so."""


def identity(fields: Mapping[str, Any]) -> str:
    """Return the id of the run with a configuration of these fields: the beginning of its SHA-256."""
    return sha256_of_json(fields)[:ID_LENGTH]


class RunConfig(Config):
    """The complete resolved configuration of a run: its identity is made of these fields and no others."""

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
            raise SpecError(f"method '{self.method.kind}' names no validation value to select the best state by")
        self.data.examples(select.split)

    @property
    def validated_splits(self) -> tuple[str, ...]:
        """The splits that the method's value is taken on after each epoch, none where it names no value."""
        watched = (WATCHED,) if WATCHED in self.data.splits else ()
        chosen = (self.training.select.split,) if self.training.select is not None else ()
        return tuple(dict.fromkeys(watched + chosen)) if self.method.validation is not None else ()

    @property
    def deciding_value(self) -> str | None:
        """What curves call the value by which the best state is selected, None where the last one is kept."""
        select, validation = self.training.select, self.method.validation
        return f"{select.split}_{validation.name}" if select is not None and validation is not None else None

    @model_validator(mode="after")
    def _network_fits_method(self) -> "RunConfig":
        missing = self.method.passes - self.network.passes
        if missing:
            fitting = Network.kinds_with(self.method.passes)
            raise SpecError(
                f"network '{self.network.kind}' has no {' and no '.join(sorted(missing))}, which method "
                f"'{self.method.kind}' asks for: allowed: {', '.join(fitting)}"
            )
        return self


class Run:
    """A named run. Two runs with equal configurations are the same run, whatever they are called.

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
        """Yield the ids that the run has with these seeds, without building a run for each."""
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
        """Return a variant whose name says what differs; `path` is that of `Config.but`.

        Raises `SpecError` for an unknown field or an impossible value.
        """
        named = {path: value, **changes} if path else changes
        suffix = " ".join(f"{key}={_short(value)}" for key, value in named.items())
        return type(self)(f"{self.name} {suffix}", self.config.but(path, value, **changes))

    def called(self, name: str) -> Self:
        """Return the same run under another name."""
        return type(self)(name, self.config)

    def with_config(self, **changes: Any) -> Self:
        """Return a run of the same name with some fields changed: how a scale shrinks a run."""
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
        """The floating-point operations of the whole training, two to a multiply-add."""
        per_example = self.config.method.train_flops(self.config.network, self.config.data)
        return self.iterations * self.config.training.batch_size * per_example


def _short(value: Any) -> str:
    return str(getattr(value, "name", value.digest[:6])) if isinstance(value, Config) else str(value)
