"""Frozen configurations with a canonical form, an identity, and variants made with `but`."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.spec.errors import SpecError, unknown


def canonical_json(document: Any) -> str:
    """Return a document as JSON with sorted keys and no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_of_json(document: Any) -> str:
    """Return the SHA-256 of a document's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


class Config(BaseModel):
    """A frozen, validated configuration.

    Raises `SpecError` when a field is unknown or a value is impossible.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise SpecError(f"{type(self).__name__}: {_explain(error, type(self))}") from None

    def canonical(self) -> str:
        """Return every field as JSON with sorted keys and no spaces: equal configurations, equal text."""
        return canonical_json(self.model_dump(mode="json"))

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the canonical form, in hexadecimal."""
        return sha256_of_json(self.model_dump(mode="json"))

    def but(self, **changes: Any) -> Self:
        """Return the same configuration with some fields changed, wherever in its parts they are.

        Raises `SpecError` for a field that no part has, or that two parts have at the same depth.
        """
        own = {name: value for name, value in changes.items() if name in type(self).model_fields}
        for name in changes.keys() - own.keys():
            if name not in self._fields:
                raise unknown(f"field of {type(self).__name__}", name, self._fields)
        for name, part in self._parts.items():
            inner = {key: changes[key] for key in changes.keys() - own.keys() if key in part._fields}
            if inner and name not in own:
                own[name] = part.but(**inner)
        self._refuse_ambiguous(changes)
        return type(self)(**{**self._values(), **own})

    def value_of(self, name: str) -> Any:
        """Return the value of a field, wherever in the parts it is.

        Raises `SpecError` for a field that no part has.
        """
        if name in type(self).model_fields:
            return getattr(self, name)
        for part in self._parts.values():
            if name in part._fields:
                return part.value_of(name)
        raise unknown(f"field of {type(self).__name__}", name, self._fields)

    @cached_property
    def _parts(self) -> dict[str, "Config"]:
        return {name: value for name, value in self._values().items() if isinstance(value, Config)}

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}

    @cached_property
    def _fields(self) -> set[str]:
        """The names of all fields, here and in every part, that a variant may change."""
        names = set(type(self).model_fields) - {"kind"}
        return names.union(*(part._fields for part in self._parts.values()))

    def _refuse_ambiguous(self, changes: Mapping[str, Any]) -> None:
        for name in changes.keys() - set(type(self).model_fields):
            holders = [part for part, value in self._parts.items() if name in value._fields]
            if len(holders) > 1:
                raise SpecError(f"field '{name}' is in {' and in '.join(holders)}: change the part itself")


class Family(Config):
    """A base of configurations told apart by their `kind`, such as networks or methods.

    Subclasses register themselves by the default of their `kind`, so that a stored configuration can be read
    back without importing anything that the file names.
    """

    kind: str
    kinds: ClassVar[dict[str, type["Family"]]]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if Family in cls.__bases__:
            cls.kinds = {}
        elif isinstance(kind := cls.model_fields["kind"].default, str):
            cls.kinds[kind] = cls

    @classmethod
    def read(cls, value: Any) -> Any:
        """Turn stored fields into the configuration of the kind that they name; leave an object as it is."""
        if not isinstance(value, Mapping):
            return value
        kind = str(value.get("kind"))
        if kind not in cls.kinds:
            raise unknown(f"kind of {cls.__name__}", kind, cls.kinds)
        return cls.kinds[kind](**value)


def _explain(error: ValidationError, config: type[BaseModel]) -> str:
    """Put the first problem of a validation error on one line: the field, the value, what is allowed."""
    problem = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return str(unknown("field", field, set(config.model_fields) - {"kind"}))
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"field '{field}' is missing"
    return f"{field}={problem['input']!r}: {message[0].lower()}{message[1:]}" if field else message
