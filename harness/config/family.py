"""Families: configurations of one role with a `kind` as discriminator. Any installed package can add kinds."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from harness import OWN_MODULES
from harness.config.base import Config
from harness.config.plugins import load_built_in, load_plugins
from harness.errors import RevisionError, SpecError, UnknownKindError, nearest, unknown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
SHOWN = 64
"""The maximum number of characters of an unknown kind in an error message."""


class Family(Config):
    """A base class of configurations discriminated by their `kind`, such as networks or methods.

    Subclasses register themselves under the default of their `kind`, so that reading a stored configuration imports
    nothing that the file names. A kind has one owner: a second class of the same name raises `SpecError`, and the kinds
    of the harness register first.

    Raise `revision` when a kind starts to compute something else; it is part of the id unless it is 1.
    """

    kind: str
    kinds: ClassVar[dict[str, type["Family"]]]
    role: ClassVar[str] = ""
    """The name of the family in messages, such as `network`."""
    revision: ClassVar[int] = 1
    unmarked: ClassVar[str] = ""
    """The kind serialised without its `kind` field, because it was once the only one."""
    bare: ClassVar[bool] = False
    """Whether a kind without settings is serialised as its name."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if Family in cls.__bases__:
            cls.kinds = {}
            cls.role = cls.role or cls.__name__.lower()
        elif isinstance(kind := cls.model_fields["kind"].default, str):
            cls._register(kind)

    @classmethod
    def _register(cls, kind: str) -> None:
        if not NAME.fullmatch(kind):
            raise SpecError(f"{cls.__module__}.{cls.__qualname__}: {kind!r} cannot be a kind: it is used in file names")
        if not cls.__module__.startswith(OWN_MODULES):
            load_built_in()
        owner = cls.kinds.get(kind)
        if owner is not None and (owner.__module__, owner.__qualname__) != (cls.__module__, cls.__qualname__):
            raise SpecError(
                f"{cls.__module__}.{cls.__qualname__}: the {cls.role} kind '{kind}' belongs to "
                f"{owner.__module__}.{owner.__qualname__}: choose another name, such as "
                f"'{cls.__module__.partition('.')[0]}.{kind}'"
            )
        for name in cls.__dict__.get("shrinks", ()):  # a base may list fields of only some kinds
            if name not in cls.model_fields:
                raise unknown(f"field in shrinks of {cls.__module__}.{cls.__qualname__}", name, cls.model_fields)
        cls.kinds[kind] = cls

    def __str__(self) -> str:
        """Return the kind if that is its whole serialised form, else the fields."""
        written: Any = self.model_dump()
        return self.kind if written == self.kind else super().__str__()

    @classmethod
    def read(cls, value: Any) -> Any:
        """Convert stored fields or the name of a kind to a configuration; return any other object unchanged.

        Raises `UnknownKindError` for a kind that no installed package offers, and `RevisionError` for fields
        written by another revision of the kind.
        """
        if isinstance(value, str):
            return cls.of_kind(value)(kind=value)
        if not isinstance(value, Mapping):
            return value
        fields = dict(value)
        if not (name := str(fields.get("kind") or cls.unmarked)):
            raise SpecError(f"field 'kind' of a {cls.role} is missing: allowed: {', '.join(sorted(cls.kinds))}")
        kind = cls.of_kind(name)
        written = fields.pop("revision", 1)
        if written != kind.revision:
            raise RevisionError(f"the {cls.role} kind '{name}' has revision {kind.revision} now, not {written}")
        return kind(**fields)

    @classmethod
    def of_kind(cls, kind: str) -> type[Self]:
        """Return the class of a kind, loading installed packages if it is unknown.

        Raises `UnknownKindError` if no package offers it.
        """
        if kind not in cls.kinds:
            load_built_in()
        broken = [plugin for plugin in load_plugins() if plugin.problem] if kind not in cls.kinds else []
        if kind not in cls.kinds:
            hint = nearest(kind, cls.kinds)
            reasons = "".join(f"; {plugin} cannot be loaded: {plugin.problem}" for plugin in broken)
            raise UnknownKindError(
                f"needs the kind {kind[:SHOWN]!r}, which no installed paper offers: {hint}allowed {cls.role} kinds: "
                f"{', '.join(sorted(cls.kinds)) or 'none'}{reasons}"
            )
        return cls.kinds[kind]  # type: ignore[return-value]  # kinds of a family are its subclasses

    def written(self, document: dict[str, Any]) -> Any:
        """Return the canonical form: the fields, with the revision unless it is 1, or only the name."""
        document = super().written(document)
        if self.kind == self.unmarked:
            del document["kind"]
        if self.revision != 1:
            document["revision"] = self.revision
        return self.kind if self.bare and document.keys() == {"kind"} else document
