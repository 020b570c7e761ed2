"""Damaged profiles are used or refused on one line, by every command that reads them."""

import json
from pathlib import Path

import pytest
from json_damage import ODD
from kept import Kept
from mutations import mutate
from watched import watch

SHIPPED = sorted(Path(__file__).parents[2].glob("slurm/profiles/*.toml"))
CASES = 200
KEYS = (
    "partition", "nodes", "tasks_per_node", "gpus_per_node", "cpus_per_task", "memory", "time", "account", "qos",
    "setup", "sbatch", "srun", "python", "array_parallelism", "max_array_size", "max_submit", "signal_seconds",
    "requeue",
    "max_restarts", "max_attempts", "max_time", "max_memory", "runs_per_task", "runs_per_gpu", "override", "follow_up",
    "follow_up.time", "follow_up.sbatch.x", "override.0", "sbatch.'a b'", "'\\u001b'", "",
)  # fmt: skip
TEXTS = (
    "1" * 400,
    "9" * 400 + "G",
    "0G",
    "-1",
    "1e9T",
    "1:99999999999999999999",
    "²",
    "1-1-1",
    "a100:" + "9" * 400,
    "::",
)
RAW_TOML = (
    "1" * 5000, "1e999", "nan", "-inf", "[" * 5000, "[" * 5000 + "]" * 5000, "{a=" * 2000, "1979-05-27T07:32:00Z",
    "07:32:00", '"""', "'''x'''", "0x" + "f" * 5000, "[[1, 'a'], [{}]]", "{ x = 1 }", "",
)  # fmt: skip


def written(dice):
    """Return a profile with a few odd fields."""
    lines = []
    for key in dice.sample(KEYS, dice.choice((1, 1, 2, 4))):
        kind = dice.randrange(3)
        odd = dice.choice([value for value in ODD if value is not None])
        value = (json.dumps(odd), json.dumps(dice.choice(TEXTS)), dice.choice(RAW_TOML))[kind]
        lines.append(f"{key} = {value}")
    if dice.random() < 0.3:
        lines.append(f"[[override]]\n{dice.choice(KEYS[:8])} = {json.dumps(dice.choice(TEXTS))}")
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@pytest.mark.soak
@pytest.mark.timeout(3600, method="thread")
def test_whatever_a_profile_says_it_is_used_or_refused_on_one_line(storm, harness, tmp_path):
    folder = tmp_path / "profiles"
    folder.mkdir()
    kept, path = Kept(folder), folder / "profile.toml"
    for seed, dice in storm.cases(CASES):
        kept.put_back()
        if dice.random() < 0.6:
            path.write_bytes(written(dice))
            case = repr(path.read_bytes()[:200])
        else:
            path.write_bytes(dice.choice(SHIPPED).read_bytes())
            case = mutate(path, dice, SHIPPED)
        for line in (["plan", "toy/table101"], ["run", "toy/table101", "--executor", "slurm", "-n"]):
            seen = watch(harness, *line, "--profile", path)
            for fault in seen.faults:
                storm.fault(seed, case, fault)
            if seen.code not in (0, None) and (seen.err.count("\n") != 1 or len(seen.err) > 2000):
                storm.fault(seed, case, f"{line[0]} does not refuse on one line: {len(seen.err)} characters")
            if seen.code not in (0, None) and "profile" not in seen.err and "sbatch" not in seen.err:
                storm.fault(seed, case, f"{line[0]} does not name the profile: {seen.err[:120]!r}")
