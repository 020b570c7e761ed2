"""The parameters that differ between the runs of two result sets for the same cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.compare.cells import ComparedCell, SideValue
from harness.compare.sides import ABSENT, Leaves, Side, differing, joined, leaves
from harness.config.plugins import OWN
from harness.store.records import DistributionRecord, EvaluationRecord, Segment

FEATURES = ("kind", "data", "data_sha256", "weights_sha256")


@dataclass(frozen=True)
class Difference:
    """A field in which runs differ, by its dotted path, its values in A and B, and the pairs of runs."""

    field: str
    a: Any
    b: Any
    runs: tuple[tuple[str, str], ...]


def parameters(cells: Sequence[ComparedCell], a: Side, b: Side) -> list[Difference]:
    """Return the fields that differ between matched runs: code and hardware last, the most frequent difference first.

    They cover the configuration (`data`, `network`, `method`, `training`, `semantics`), the evaluation,
    the hash of the data, the feature space, the seeds, and the code and hardware of the runs.
    """
    found: dict[tuple[str, str, str], tuple[Any, Any, dict[tuple[str, str], None]]] = {}
    for field, one, other, pair in _differences(cells, a, b):
        entry = found.setdefault((field, repr(one), repr(other)), (one, other, {}))
        entry[2][pair] = None
    differences = [Difference(field, one, other, tuple(pairs)) for (field, _, _), (one, other, pairs) in found.items()]
    return sorted(
        differences, key=lambda difference: (_part(difference.field), -len(difference.runs), difference.field)
    )


def _differences(cells: Sequence[ComparedCell], a: Side, b: Side) -> Iterator[tuple[str, Any, Any, tuple[str, str]]]:
    seen: set[tuple[str, str]] = set()
    for cell in cells:
        if not (cell.a and cell.b):
            continue
        for seed in sorted(cell.a.runs.keys() & cell.b.runs.keys()):
            pair = cell.a.runs[seed], cell.b.runs[seed]
            for field, one, other in differing(
                _evaluation_fields(cell.a.records[seed]), _evaluation_fields(cell.b.records[seed])
            ):
                yield field, one, other, pair
            if pair not in seen:
                seen.add(pair)
                for field, one, other in differing(_run_fields(a, pair[0]), _run_fields(b, pair[1])):
                    yield field, one, other, pair
        if (seeds := _seeds(cell.a)) != _seeds(cell.b):
            yield "seeds", seeds, _seeds(cell.b), (min(cell.a.runs.items())[1], min(cell.b.runs.items())[1])


def _run_fields(side: Side, id: str) -> Leaves:
    """Return the configuration of a run, the hash of its data, and its provenance."""
    training = side.training(id)
    found = dict(side.stored[id].leaves)
    if training:
        found["data_sha256"] = training.data_sha256
    return found | _provenance(side.segments(id))


def _provenance(segments: Sequence[Segment]) -> Leaves:
    """Return the code and hardware of a run's segments, each value once."""
    if not segments:
        return {}
    found: Leaves = {
        "computed.commit": joined(_commit(segment) for segment in segments),
        "computed.device": joined(segment.device_name or segment.device for segment in segments),
        "computed.world_size": joined(segment.world_size for segment in segments),
        "computed.loader": joined(segment.loader for segment in segments if segment.loader) or ABSENT,
    }
    for package in dict.fromkeys(name for segment in segments for name in segment.versions):
        found[f"computed.versions.{package}"] = joined(segment.versions.get(package, ABSENT) for segment in segments)
    foreign = [code for segment in segments for code in segment.distributions if code.name != OWN]
    for name in dict.fromkeys(code.name for code in foreign):
        found[f"computed.code.{name}"] = joined(_code(code) for code in foreign if code.name == name)
    return found


def _code(code: DistributionRecord) -> str:
    return f"{code.version}, SHA-256 {code.sha256[:12]}"


def _commit(segment: Segment) -> str:
    return f"{(segment.commit or 'unknown')[:9]}{' with changes' if segment.dirty else ''}"


def _evaluation_fields(record: EvaluationRecord) -> Leaves:
    """Return the settings of an evaluation and its feature space."""
    kind = record.evaluation.get("kind")
    found = {f"{kind}.{path}": value for path, value in leaves(record.evaluation).items() if path != "kind"}
    space = record.details.get("feature_space")
    if isinstance(space, dict):
        found |= {f"feature_space.{name}": space[name] for name in FEATURES if name in space}
    return found


def _seeds(found: SideValue) -> str:
    return joined(sorted(found.runs))


def _part(field: str) -> int:
    """Sort key: parameters before code and hardware."""
    return 1 if field.startswith("computed.") else 0
