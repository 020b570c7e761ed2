"""Size: the number of parameters of all trained networks of a method."""

from harness.config.evaluations import Size
from harness.evaluation.base import EvaluationResult, Subject
from harness.store.records import Measurement


def evaluate(evaluation: Size, subject: Subject) -> EvaluationResult:
    """Return the number of parameters in millions."""
    players = subject.model.players().values()
    parameters = sum(parameter.numel() for player in players for parameter in player.parameters())
    return EvaluationResult({"parameters_m": Measurement(value=parameters / 1e6, n=1)})
