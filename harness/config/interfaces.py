"""Capabilities of trained models and passes of networks: names registered with the Protocol that implements them.

Any package can add one: `REGRESSOR = Capability("regressor", "my_paper.nn.protocols:Regressor")`. A name has one
owner. Methods and networks are checked against the Protocols when they are built.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from harness.config.resolve import resolve
from harness.errors import SpecError, unknown


class Interface(str):
    """A string registered with the Protocol, as `module:name`, that its implementations must satisfy.

    Raises `SpecError` if the name is registered with another Protocol.
    """

    __slots__ = ("protocol",)
    registered: ClassVar[dict[str, Self]]
    protocol: str

    def __init_subclass__(cls) -> None:
        cls.registered = {}

    def __new__(cls, name: str, protocol: str) -> Self:
        """Register the name."""
        interface = super().__new__(cls, name)
        interface.protocol = protocol
        owner = cls.registered.setdefault(name, interface)
        if owner.protocol != protocol:
            raise SpecError(f"{cls.__name__.lower()} '{name}' belongs to {owner.protocol}: choose another name")
        return interface

    @classmethod
    def refuse_unknown(cls, names: Iterable[str], of: str) -> None:
        """Raise `SpecError` for an unregistered name; `of` names its owner in the message."""
        for name in sorted(names):
            if name not in cls.registered:
                raise unknown(f"{cls.__name__.lower()} of {of}", name, cls.registered)

    @classmethod
    def check(cls, implementation: Any, names: Iterable[str], of: str) -> None:
        """Raise `SpecError` if an implementation lacks one of these interfaces; `of` names its configuration."""
        cls.refuse_unknown(names, of)
        for name in sorted(names):
            protocol = resolve(cls.registered[name].protocol)
            if not isinstance(implementation, protocol):
                raise SpecError(
                    f"{of} declares '{name}', but {type(implementation).__name__} lacks a member of "
                    f"{cls.registered[name].protocol}: {', '.join(_missing(implementation, protocol))}"
                )


def _missing(implementation: Any, protocol: type) -> list[str]:
    members = getattr(protocol, "__protocol_attrs__", None) or {
        name for name in vars(protocol) if not name.startswith("_")
    }
    return sorted(name for name in members if not hasattr(implementation, name)) or [protocol.__name__]


class Capability(Interface):
    """An operation that a trained model offers."""

    __slots__ = ()


class Pass(Interface):
    """An operation that a network offers, named after its Python method."""

    __slots__ = ()


CLASSIFIER = Capability("classifier", "harness.methods.base:Classifier")
GENERATOR = Capability("generator", "harness.methods.base:Generator")
LIKELIHOOD = Capability("likelihood", "harness.methods.base:LikelihoodModel")

FORWARD = Pass("forward", "harness.models.passes:Forward")
LOGITS = Pass("logits", "harness.models.passes:Logits")
PREDICT_NOISE = Pass("predict_noise", "harness.models.passes:PredictNoise")
GENERATE = Pass("generate", "harness.models.passes:Generate")
FEATURES = Pass("features", "harness.models.passes:Features")
LOGITS_FROM = Pass("logits_from", "harness.models.passes:LogitsFrom")
