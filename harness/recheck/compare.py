"""Recomputes the quantities of one record and compares them with the recorded ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, nan

from harness.config.evaluations import Evaluation
from harness.config.resolve import resolve
from harness.errors import SpecError, given
from harness.recheck.libraries import INSTALL, versioned
from harness.recheck.recomputation import NotRecomputed, Recomputation, Recomputed, StoredArrays
from harness.store.rechecks import RecheckedValue, relative_difference
from harness.store.records import EvaluationRecord

FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)
"""Errors of libraries given arrays that they do not take: such numbers differ."""
ITEMS = "number of items of {}"


@dataclass
class Comparison:
    """The values of a record that were recomputed, and the others with the reason.

    A number whose library fails on the arrays is in both: it differs infinitely.
    """

    values: list[RecheckedValue] = field(default_factory=list)
    left_out: dict[str, NotRecomputed] = field(default_factory=dict)


def compare(record: EvaluationRecord, stored: StoredArrays) -> Comparison:
    """Return the recorded quantities beside the recomputed ones; each has a value or a reason."""
    found = Comparison()
    try:
        evaluation: Evaluation = Evaluation.read(record.evaluation)
        ways = recomputations(evaluation)
    except (SpecError, NotRecomputed) as error:
        reason = error if isinstance(error, NotRecomputed) else NotRecomputed(str(error))
        return Comparison(left_out=dict.fromkeys(record.quantities, reason))
    named = {quantity for way in ways for quantity in way.quantities}
    for way in ways:
        covered = way.quantities or tuple(name for name in record.quantities if name not in named)
        try:
            found.values += _compared(record, evaluation, way, stored)
        except NotRecomputed as reason:
            found.left_out |= {f"{quantity} by {way.library}": reason for quantity in covered}
        except FAILURES as error:
            by, what = versioned(way.library), " ".join(f"{type(error).__name__}: {error}".split())[:160]
            found.left_out |= {f"{name} by {way.library}": NotRecomputed(f"{by} fails: {what}") for name in covered}
            found.values += [_failed(record, quantity, way, by) for quantity in covered]
    done = {value.quantity for value in found.values} | {name.partition(" by ")[0] for name in found.left_out}
    none = NotRecomputed(f"{evaluation.kind} names no recomputation of it")
    found.left_out |= {quantity: none for quantity in record.quantities if quantity not in done}
    return found


def recomputations(evaluation: Evaluation) -> Sequence[Recomputation]:
    """Return the ways to recompute an evaluation.

    Raises `NotRecomputed` if its kind has none, and `SpecError` if it names something else.
    """
    if not evaluation.recomputations:
        raise NotRecomputed(evaluation.unrepeatable or f"{evaluation.kind} names no recomputation")
    found = resolve(evaluation.recomputations)
    if not isinstance(found, Sequence) or not all(isinstance(each, Recomputation) for each in found):
        where = f"evaluation '{evaluation.kind}': {evaluation.recomputations}"
        raise SpecError(f"{where} is {given(found)}, not a tuple of Recomputations")
    return found


def _compared(
    record: EvaluationRecord, evaluation: Evaluation, way: Recomputation, stored: StoredArrays
) -> list[RecheckedValue]:
    by = versioned(way.library)
    try:
        recomputed = way.function(evaluation, stored)
    except ImportError as error:
        raise NotRecomputed(f"{by} cannot be imported ({error})", INSTALL) from None
    except MemoryError:
        raise NotRecomputed(f"{by} needs more memory than there is") from None
    return [value for name, each in recomputed.items() for value in _values(record, name, each, way, by)]


def _values(
    record: EvaluationRecord, quantity: str, found: Recomputed, way: Recomputation, by: str
) -> Iterator[RecheckedValue]:
    """Yield a quantity beside its recomputed value, and its number of items if that differs."""
    recorded = _recorded(record, quantity)
    if recorded is None:
        return
    difference, tolerance = relative_difference(recorded, found.value), way.tolerance
    if difference > tolerance:
        tolerance = max(tolerance, found.rounding() / (abs(recorded) or 1.0))
    yield RecheckedValue(
        quantity=quantity, recorded=recorded, recomputed=found.value, difference=difference, tolerance=tolerance, by=by
    )
    measured = record.quantities.get(quantity)
    if measured is not None and found.n is not None and measured.n != found.n:
        yield RecheckedValue(
            quantity=ITEMS.format(quantity), recorded=measured.n, recomputed=found.n,
            difference=relative_difference(measured.n, found.n), tolerance=0.0, by=by,
        )  # fmt: skip


def _failed(record: EvaluationRecord, quantity: str, way: Recomputation, by: str) -> RecheckedValue:
    recorded = _recorded(record, quantity)
    return RecheckedValue(
        quantity=quantity, recorded=nan if recorded is None else recorded, recomputed=nan, difference=inf,
        tolerance=way.tolerance, by=by,
    )  # fmt: skip


def _recorded(record: EvaluationRecord, quantity: str) -> float | None:
    """Return a recorded quantity, or a number of the details, None if there is none of this name."""
    if quantity in record.quantities:
        return record.quantities[quantity].value
    found = record.details.get(quantity)
    if isinstance(found, str):  # NaN and infinities are stored as words
        return float(found)
    return float(found) if isinstance(found, int | float) else None
