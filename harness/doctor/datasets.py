"""Checks of the datasets that runs and evaluations need: whether they are prepared, and which exhibits need them."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from harness.config.dataset import Dataset
from harness.data.prepared.manifest import lost, outdated, read_manifest
from harness.data.registry import command_to_prepare, is_embedded, source_of
from harness.doctor.check import Check, CheckState
from harness.errors import HarnessError
from harness.launch.needs import datasets_of, exhibits_by_dataset
from harness.launch.plan import Plan, costs


def check_datasets(plans: Sequence[Plan], root: Path) -> list[Check]:
    """Check every dataset that the plans need."""
    needed = {name: data for plan in plans for planned in plan.runs for name, data in datasets_of(planned).items()}
    exhibits = exhibits_by_dataset()
    return [_check(data, plans, exhibits[data.name], root) for data in needed.values()]


def _check(data: Dataset, plans: Sequence[Plan], exhibits: list[str], root: Path) -> Check:
    """Check a dataset; count its runs in the first plan that trains on it, since other scales repeat them."""
    by_plan = ([planned for planned in plan.runs if planned.run.config.data.name == data.name] for plan in plans)
    trained = next(filter(None, by_plan), [])
    facts = {
        "runs": len(trained),
        "reported_gpu_hours": costs(trained)["reported_gpu_hours"],
        "needed_by": exhibits,
        "bytes": sum(data.splits.values()) * data.example_bytes,
        "embedded": is_embedded(data),
    }
    state, says, mend = _look(data, root)
    return Check(data.name, state, says, mend, facts)


def _look(data: Dataset, root: Path) -> tuple[CheckState, str, str]:
    """Return the state of a dataset, a sentence for the user, and the command that fixes it, without hashing files."""
    folder = root / data.name
    prepare, quoted = command_to_prepare(data, root), shlex.quote(str(folder))
    try:
        manifest = read_manifest(folder)
    except HarnessError as error:
        return CheckState.MISSING, str(error), ""
    if manifest is None:
        if is_embedded(data):
            return CheckState.OK, "made on first use", ""
        says = "not prepared" if source_of(data) else "not prepared, and no installed paper provides it"
        return CheckState.MISSING, says, prepare
    if names := lost(folder, manifest):
        return CheckState.MISSING, f"{folder} has no {', '.join(names)}", f"rm -r {quoted} && {prepare}"
    if complaint := outdated(manifest, data):
        return CheckState.MISSING, f"{folder} was prepared {complaint}", f"rm -r {quoted} && {prepare}"
    return CheckState.OK, "prepared", ""
