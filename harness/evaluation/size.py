"""Size: the parameters of all trained networks of a method."""

from harness.config.evaluations import Size
from harness.evaluation.base import Findings, Subject
from harness.store.records import Measurement


def evaluate(evaluation: Size, subject: Subject) -> Findings:
    """Return the number of parameters in millions."""
    players = subject.model.players().values()
    parameters = sum(parameter.numel() for player in players for parameter in player.parameters())
    return Findings({"parameters_m": Measurement(value=parameters / 1e6, n=1)})
