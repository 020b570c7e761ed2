"""Further protocols as they are asked for on the command line."""

from harness.config.evaluations.base import Evaluation
from harness.config.plugins import load_plugins
from harness.errors import SpecError, unknown


def reading_of(text: str) -> dict[str, str]:
    """Return the settings that a text such as `samples=50000` or `steps=100,restarts=5` changes.

    Raises `SpecError` when it is no such text, or no evaluation has these settings.
    """
    settings: dict[str, str] = {}
    load_plugins()
    allowed = set().union(*(evaluation.model_fields for evaluation in Evaluation.kinds.values())) - {"kind"}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise SpecError(f"'{text}' is no protocol: write settings as in samples=50000")
        if name not in allowed:
            raise unknown("setting of an evaluation", name, allowed)
        settings[name] = value
    if not any(issubclass(kind, Evaluation) and kind.accepts(settings) for kind in Evaluation.kinds.values()):
        raise SpecError(f"'{text}' is no protocol: no evaluation has {' and '.join(settings)} together")
    return settings
