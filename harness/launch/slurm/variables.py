"""Environment variables around SLURM's commands: the user's are kept, all that would change our options is left out.

sbatch itself lets a variable override a line of the batch script. Here a line of the script, from the profile or from
the harness, overrides the variable, and `unused` names it.
"""

import re
from collections.abc import Iterator, Mapping

PREFIXES = ("SLURM_", "SLURMD_", "SBATCH_", "SALLOC_", "SRUN_", "SQUEUE_", "SACCT_", "SCANCEL_", "SCONTROL_", "SINFO_")
"""Variables that an enclosing job sets, and those that change the output or the effect of a command."""
CONNECTION = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT")
"""Variables by which commands find the cluster and log in."""
MEMORY, GPUS = ("mem", "mem-per-cpu", "mem-per-gpu"), ("gres", "gpus", "gpus-per-node", "gpus-per-task")
PLACES: Mapping[str, tuple[str, ...]] = {
    **{f"SBATCH_{name.upper()}": (name,) for name in ("account", "partition", "qos", "reservation", "constraint")},
    **{f"SBATCH_{name.upper()}": (name,) for name in ("wckey", "exclusive", "hint", "network", "profile")},
    "SBATCH_ACCTG_FREQ": ("acctg-freq",),
    "SBATCH_CLUSTER_CONSTRAINT": ("cluster-constraint",),
    "SBATCH_CORE_SPEC": ("core-spec",),
    "SBATCH_DELAY_BOOT": ("delay-boot",),
    "SBATCH_GPU_FREQ": ("gpu-freq",),
    "SBATCH_GRES": GPUS,
    "SBATCH_GRES_FLAGS": ("gres-flags",),
    "SBATCH_MEM_PER_CPU": MEMORY,
    "SBATCH_MEM_PER_GPU": MEMORY,
    "SBATCH_MEM_PER_NODE": MEMORY,
    "SBATCH_REQ_SWITCH": ("switches",),
    "SBATCH_THREADS_PER_CORE": ("threads-per-core",),
    "SBATCH_THREAD_SPEC": ("thread-spec",),
}
"""Variables that say where and on whose account jobs run, and the options of a script that replace them."""
RENAMED = {"SBATCH_TIMELIMIT": "time", "SBATCH_ARRAY_INX": "array", "SLURM_CLUSTERS": "clusters"}
OPTION = re.compile(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", re.MULTILINE)


def outside_of_jobs(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for SLURM's commands without the variables of an enclosing job, or for their output."""
    return {name: value for name, value in environment.items() if name in CONNECTION or not name.startswith(PREFIXES)}


def for_submission(environment: Mapping[str, str], script: str) -> dict[str, str]:
    """Return an environment for sbatch: that of other commands, and the user's options that a script does not set."""
    given = dict(OPTION.findall(script))
    options_given = {
        name: environment[name]
        for name, options in PLACES.items()
        if environment.get(name, "").strip() and not any(option in given for option in options)
    }
    return outside_of_jobs(environment) | options_given


def unused(environment: Mapping[str, str], script: str) -> Iterator[str]:
    """Yield a sentence for every variable of sbatch that is set and does not count."""
    used, given = for_submission(environment, script), dict(OPTION.findall(script))
    for name, value in sorted(environment.items()):
        if name in used or not value.strip() or not (name.startswith("SBATCH_") or name in RENAMED):
            continue
        options = PLACES.get(name) or (RENAMED.get(name) or name.removeprefix("SBATCH_").lower().replace("_", "-"),)
        ours = [f"--{option}" + f"={given[option]}" * bool(given[option]) for option in options if option in given]
        if f"--{options[0]}={value}" not in ours:
            why = f"the batch script has {ours[0]}" if ours else "such options belong under [sbatch] in the profile"
            why = "jobs go to the cluster of this machine" if options == ("clusters",) else why
            yield f"{name}={value} is not used: {why}"
