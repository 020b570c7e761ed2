"""What claims of the paper presuppose, with its own values; `docs/scales.md` has those at laptop scale."""

from collections.abc import Sequence

from harness.registry.metrics import ACCURACY, CONFIDENCE_GAP, FID, Metric
from harness.registry.presuppositions import InRange, LevelledOff, at_least, at_most, levelled_off
from harness_papers.hybvit.log import FID_LEVEL, LOSS_LEVEL


def classifies(*rows: str) -> tuple[LevelledOff, ...]:
    """Presuppose that the accuracy of each row has levelled off, to 2.5 points; in the authors' log, to 0.5."""
    return tuple(levelled_off(row, ACCURACY, within=2.5) for row in rows)


def generates(row: str) -> LevelledOff:
    """Presuppose that the generation of a row has levelled off as far as in the authors' log."""
    return levelled_off(row, FID, within=FID_LEVEL, loss="denoising", loss_within=LOSS_LEVEL)


def trained_early(row: str) -> LevelledOff:
    """Presuppose that a tenth of the epochs is a training: that accuracy changes by 10 points at most after it.

    In the authors' log it changes from 90.8 to 96.2 %.
    """
    return levelled_off(row, ACCURACY, within=10, since=0.1)


def leaves_room(*rows: str) -> InRange:
    """Presuppose that weak augmentation leaves errors for strong augmentation to mend: 87.1 and 84.6 % are right."""
    return at_most(ACCURACY, 95, *rows)


def over_confident(row: str) -> InRange:
    """Presuppose that a row is not under-confident already, before strong augmentation makes it so."""
    return at_least(CONFIDENCE_GAP, 0, row)


def breaks(metrics: Sequence[Metric], *rows: str) -> InRange:
    """Presuppose that the largest attack breaks the models: in the paper it leaves 0.7 % at most."""
    return at_most(metrics[-1], 10, *rows)
