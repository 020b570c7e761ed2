"""Frozen configurations with a canonical form, an identity, and variants made with `but`."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from harness.errors import RevisionError, SpecError, UnknownKindError, given, unknown


def canonical_json(document: Any) -> str:
    """Return a document as JSON with sorted keys and no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_of_json(document: Any) -> str:
    """Return the SHA-256 of a document's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


class Config(BaseModel):
    """A frozen, validated configuration.

    `left_out` names fields that the canonical form omits while they have their defaults. List every field added later
    there, so that existing ids do not change. Raises `SpecError` for an unknown field or an invalid value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    left_out: ClassVar[frozenset[str]] = frozenset()
    shrinks: ClassVar[Mapping[str, str]] = {}
    """The fields that scales shrink, each mapped to the name of its size, such as `width` (docs/scales.md)."""

    def __init__(self, /, *values: Any, **fields: Any) -> None:
        if values:
            named = ", ".join(f"{name}=..." for name in type(self).model_fields if name != "kind")
            raise SpecError(f"{type(self).__name__}({given(values[0])}): pass fields by keyword: {named}")
        try:
            super().__init__(**fields)
        except ValidationError as error:
            cause = error.errors(include_url=False)[0].get("ctx", {}).get("error")
            if isinstance(cause, UnknownKindError | RevisionError):  # its message needs no class name
                raise cause from None
            raise SpecError(f"{type(self).__name__}: {_explain(error, type(self))}") from None

    def __hash__(self) -> int:
        return hash(self.digest)  # fields may be dictionaries, which have no hash

    def canonical(self) -> str:
        """Return all fields as JSON with sorted keys and no spaces. Equal configurations give equal text."""
        return canonical_json(self.model_dump(mode="json"))

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the canonical form, in hexadecimal."""
        return sha256_of_json(self.model_dump(mode="json"))

    @model_serializer(mode="wrap")
    def _serialise(self, handler: SerializerFunctionWrapHandler) -> Any:
        return self.written(handler(self))

    def written(self, document: dict[str, Any]) -> Any:
        """Return the canonical form of the serialised fields."""
        fields = type(self).model_fields
        omitted = {
            name for name in self.left_out if getattr(self, name) == fields[name].get_default(call_default_factory=True)
        }
        return {name: value for name, value in document.items() if name not in omitted}

    def but(self, path: str = "", value: Any = None, /, **changes: Any) -> Self:
        """Return a copy with some fields changed, at any depth.

        Give the path of a field that two parts have: `but("network.dim", 48)`. Raises `SpecError` for an unknown or
        ambiguous field.
        """
        if path:
            return self._with(path, value)._changed(changes)
        return self._changed(changes)

    def value_of(self, name: str) -> Any:
        """Return the value of a field, given by name or path.

        Raises `SpecError` for an unknown or ambiguous field.
        """
        part, _, rest = name.partition(".")
        if rest:
            return self._part(part, name).value_of(rest)
        if name in type(self).model_fields:
            return getattr(self, name)
        return self._parts[self._holder(name, self._parts)].value_of(name)

    def has(self, name: str) -> bool:
        """Return whether this configuration or a part has a field, given by name or path."""
        part, _, rest = name.partition(".")
        return part in self._parts and self._parts[part].has(rest) if rest else name in self._fields

    def _with(self, path: str, value: Any) -> Self:
        """Return a copy with the field at a path changed."""
        part, _, rest = path.partition(".")
        if not rest:
            return self._changed({part: value})
        return self._changed({part: self._part(part, path).but(rest, value)})

    def _changed(self, changes: Mapping[str, Any]) -> Self:
        own = {name: value for name, value in changes.items() if name in type(self).model_fields}
        parts = self._parts | {name: value for name, value in own.items() if isinstance(value, Config)}
        inner: dict[str, dict[str, Any]] = {}
        for name in changes.keys() - own.keys():
            inner.setdefault(self._holder(name, parts), {})[name] = changes[name]
        own |= {part: parts[part]._changed(fields) for part, fields in inner.items()}
        return type(self)(**{**self._values(), **own})

    def _part(self, name: str, path: str) -> "Config":
        if name not in self._parts:
            raise unknown(f"part of {type(self).__name__} in '{path}'", name, self._parts)
        return self._parts[name]

    @cached_property
    def _parts(self) -> dict[str, "Config"]:
        return {name: value for name, value in self._values().items() if isinstance(value, Config)}

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}

    @cached_property
    def _fields(self) -> set[str]:
        """The names of all fields that `but` can change, including those of parts."""
        names = set(type(self).model_fields) - {"kind"}
        return names.union(*(part._fields for part in self._parts.values()))

    def _holder(self, name: str, parts: Mapping[str, "Config"]) -> str:
        """Return the name of the only part that contains a field, at any depth."""
        holders = [part for part, value in parts.items() if name in value._fields]
        if not holders:
            raise unknown(f"field of {type(self).__name__}", name, self._fields)
        if len(holders) > 1:
            paths = " or ".join(f"'{part}.{name}'" for part in holders)
            raise SpecError(f"field '{name}' is in {' and in '.join(holders)}: use its path, {paths}")
        return holders[0]


def _explain(error: ValidationError, config: type[BaseModel]) -> str:
    """Format the first problem of a validation error as one line: field, value, allowed values."""
    problem = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return str(unknown("field", field, set(config.model_fields) - {"kind"}))
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"field '{field}' is missing"
    return f"{field}={problem['input']!r}: {message[0].lower()}{message[1:]}" if field else message
