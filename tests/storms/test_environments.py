"""Odd environment variables never break a command, and change no value that it shows."""

import subprocess
import sys

import pytest
from arena import SHOWN
from values import REPORT, VALUES, values
from watched import Seen, judged, watch

CASES = 100
PROCESSES = 12
ODD = (
    "",
    " ",
    "0",
    "-1",
    "abc",
    "²",
    "1e999",
    "9" * 400,
    "/nonexistent/x",
    "/dev/null",
    "~",
    "~/x",
    "$HOME",
    "a,b",
    "\udc80",
)
OWN = {
    "CUDA_VISIBLE_DEVICES": ("NoDevFiles", "none", "void", "0,0", "0,1,2,3", "-1", "GPU-xyz", "MIG-1", ",", "all"),
    "COLUMNS": ("0", "-5", "1", "99999999"),
    "LANG": ("C", "POSIX", "tr_TR.UTF-8", "xx_XX"),
    "LC_ALL": ("C", "xx"),
    "TZ": ("Mars/Olympus", ":"),
    "TERM": ("dumb", "xterm-256color", "unknown"),
    "PYTHONIOENCODING": ("utf-8", "ascii", "latin-1"),
    "SLURM_JOB_ID": ("12",),
    "RANK": ("0", "1"),
    "WORLD_SIZE": ("2",),
}  # fmt: skip
NAMES = (
    *OWN, "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "LINES", "NO_COLOR",
    "FORCE_COLOR", "HARNESS_CHECKPOINT_SECONDS", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_CPUS_PER_TASK", "SLURM_CONF",
    "SBATCH_ACCOUNT", "SBATCH_PARTITION", "SQUEUE_FORMAT", "SLURM_TIME_FORMAT", "LOCAL_RANK", "MASTER_ADDR",
    "MASTER_PORT",
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "EDITOR", "PAGER", "SHELL", "PWD", "GIT_DIR", "GIT_WORK_TREE", "TORCH_HOME",
    "SOURCE_DATE_EPOCH", "TERM_PROGRAM", "MPLBACKEND",
)  # fmt: skip
READ_BY_PYTHON = {"PYTHONIOENCODING"}
"""Variables whose odd values end Python before it starts the harness."""
LINES = (
    ["status"], ["list"], ["plan", *SHOWN[:2]], ["show", "toy/table101"], REPORT,
    ["compare", ".", "."], ["data", "list"], ["run", *SHOWN[:2], "-n"], ["cancel", "--all"], ["doctor", "toy/table101"],
)  # fmt: skip


def oddly(environment, dice):
    """Return an environment with a few odd or missing variables, and these variables."""
    changed, said = dict(environment), {}
    for name in dice.sample(NAMES, dice.choice((1, 1, 2, 4))):
        odd = () if name in READ_BY_PYTHON else dice.sample(ODD, 4)
        said[name] = value = dice.choice((*OWN.get(name, ()), *odd, None))
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = value
    return changed, said


@pytest.mark.soak
@pytest.mark.timeout(7200, method="thread")
def test_odd_variables_break_no_command_and_change_no_value(storm, harness, arena, toy_environment):
    whole = values(watch(harness, *VALUES, results=arena.root))
    for seed, dice in storm.cases(CASES):
        environment, case = oddly(toy_environment, dice)
        for line in (*dice.sample(LINES[:-1], 3), VALUES):
            line = [arena.root if word == "." else word for word in line]
            seen = watch(harness, *line, results=arena.root, env=environment)
            judge(storm, seed, case, seen, whole, line)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_odd_variables_break_no_new_process(storm, arena, toy_environment, tmp_path):
    for seed, dice in storm.cases(PROCESSES):
        environment, case = oddly(toy_environment, dice)
        line = [str(arena.root) if word == "." else word for word in dice.choice(LINES)]
        command = [sys.executable, "-m", "harness", "--results", str(arena.root), *line]
        done = subprocess.run(command, env=environment, capture_output=True, timeout=300, cwd=tmp_path, check=False)
        seen = Seen(done.returncode, *(stream.decode(errors="replace") for stream in (done.stdout, done.stderr)))
        judge(storm, seed, case, judged(seen, line[0]), None, line)


def judge(storm, seed, case, seen, whole, line):
    for fault in seen.faults:
        storm.fault(seed, case, fault)
    if seen.code not in (0, None) and line[0] != "doctor" and seen.err.count("\n") != 1:
        storm.fault(seed, case, f"{line[0]} ends with {seen.code}: {seen.said[-300:]!r}")
    if whole is not None and seen.code == 0 and tuple(line) == tuple(VALUES) and values(seen) != whole:
        storm.fault(seed, case, "other values")
