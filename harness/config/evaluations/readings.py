"""Parsing of additional protocols given on the command line."""

from harness.config.evaluations.base import Evaluation
from harness.config.plugins import load_plugins
from harness.errors import SpecError, unknown


def reading_of(text: str) -> dict[str, str]:
    """Parse settings such as `samples=50000` or `steps=100,restarts=5`.

    Raises `SpecError` for malformed text, or if no evaluation has these settings.
    """
    settings: dict[str, str] = {}
    load_plugins()
    allowed = set().union(*(evaluation.model_fields for evaluation in Evaluation.kinds.values())) - {"kind"}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise SpecError(f"invalid protocol '{text}': write settings as in samples=50000")
        if name not in allowed:
            raise unknown("setting of an evaluation", name, allowed)
        settings[name] = value
    if not any(issubclass(kind, Evaluation) and kind.accepts(settings) for kind in Evaluation.kinds.values()):
        raise SpecError(f"invalid protocol '{text}': no evaluation has both {' and '.join(settings)}")
    return settings
