"""Checks of optional requirements: FFCV, Inception, a compiler, LaTeX, SLURM, a SLURM lab."""

import os
import shlex
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.data.ffcv_needs import how_to_install
from harness.data.inception import find_weights
from harness.doctor.check import Check, CheckState
from harness.doctor.children import probe, run
from harness.doctor.computing import PIP
from harness.errors import MissingRequirement
from harness.lab import programs
from harness.lab.configuration import Shape
from harness.launch.slurm.scheduler import Scheduler
from harness.report.latex import installation

SLURM = ("sbatch", "srun", "squeue")
PROGRAM = "#include <Python.h>\n#include <omp.h>\nint threads() { return omp_get_max_threads(); }\n"
"""The headers that the output of torch.compile includes."""


def check_ffcv() -> Check:
    """Check for FFCV, the fastest loader of large datasets."""
    found = probe("ffcv")["ffcv"]
    if "error" in found:
        says = f"{_absence(found, 'ffcv')}: other loaders are used instead"
        return Check("ffcv", CheckState.MISSING, says, how_to_install())
    return Check("ffcv", CheckState.OK, found["version"], facts=found)


def check_inception(found: Mapping[str, Any]) -> Check:
    """Check the result of the Inception probe."""
    if "error" in found:
        says = f"{_absence(found, 'torch_fidelity')}: no FID and no IS"
        return Check("inception", CheckState.MISSING, says, f"{PIP} '.[inception]'")
    return Check("inception", CheckState.OK, f"torch-fidelity {found['version']}", facts=found)


def check_weights(root: Path) -> Check:
    """Check for the published Inception weights, by their hash."""
    try:
        path, _, sha256 = find_weights(root, None)
    except MissingRequirement as error:
        mend = f"python -m harness --data {shlex.quote(str(root))} data prepare inception --download"
        return Check("weights", CheckState.MISSING, "no Inception weights: no FID and no IS", mend, {"why": error.how})
    return Check("weights", CheckState.OK, f"{path}, the published ones", facts={"path": str(path), "sha256": sha256})


def _absence(found: Mapping[str, Any], package: str) -> str:
    """Return whether a package is not installed or fails to import."""
    return "not installed" if found.get("absent") == package else f"cannot be imported ({found['error']})"


def check_compiler() -> Check:
    """Compile a program as torch.compile would: it needs Python's headers and OpenMP."""
    compiler = os.environ.get("CXX", "g++")  # an empty one is an error for torch, too
    without = "torch.compile does not work (--compile off)"
    if shutil.which(compiler) is None:
        if "CXX" in os.environ:
            return Check("compiler", CheckState.MISSING, f"CXX={compiler!r} is no program: {without}", "unset CXX")
        return Check("compiler", CheckState.MISSING, f"no {compiler}: {without}", f"{programs.APT} g++ {_headers()}")
    include = sysconfig.get_paths()["include"]
    with tempfile.NamedTemporaryFile(suffix=".so") as library:
        command = [compiler, "-x", "c++", "-shared", "-fPIC", "-fopenmp", f"-I{include}", "-o", library.name, "-"]
        done = run(command, PROGRAM)
    if isinstance(done, str) or done.returncode:
        reason = done if isinstance(done, str) else " ".join(done.stderr.split())[:160]
        return Check(
            "compiler", CheckState.MISSING, f"{compiler} fails: {reason}; {without}", f"{programs.APT} g++ {_headers()}"
        )
    return Check(
        "compiler", CheckState.OK, f"{compiler} compiles the output of torch.compile", facts={"command": compiler}
    )


def check_latex() -> Check:
    """Check for LaTeX, which makes the PDF of the report."""
    if lacking := installation.lacking():
        says = f"no {', '.join(lacking)}: no PDF of the report, only its .tex files"
        return Check("latex", CheckState.MISSING, says, installation.INSTALL)
    return Check(
        "latex", CheckState.OK, "pdflatex makes PDFs of the report", facts={"command": shutil.which("pdflatex")}
    )


def check_slurm() -> Check:
    """Check for the commands of SLURM."""
    there = [command for command in SLURM if shutil.which(command)]
    facts = {"commands": there}
    if len(there) < len(SLURM):
        return Check("slurm", CheckState.MISSING, "not found: runs use this machine only", facts=facts)
    configuration = os.environ.get("SLURM_CONF", "")
    if configuration and not Path(configuration).is_file():  # squeue looks for a server for a minute instead
        says = f"SLURM_CONF={configuration!r} is no file: no cluster can be reached; runs use this machine only"
        return Check("slurm", CheckState.DEGRADED, says, "unset SLURM_CONF  # or name the cluster's slurm.conf", facts)
    if not Scheduler().responds():
        says = f"found {', '.join(there)}, but no cluster answers: runs use this machine only"
        return Check("slurm", CheckState.DEGRADED, says, "squeue  # says why", facts)
    says = f"found {', '.join(there)}: run --executor slurm --profile NAME (docs/slurm.md)"
    return Check("slurm", CheckState.OK, says, facts=facts)


def check_lab() -> Check:
    """Check for the programs of a SLURM lab, a test cluster on this machine."""
    absent = programs.missing(Shape())
    if absent:
        says = f"no {', '.join(absent)}: no SLURM test cluster"
        return Check("slurm_lab", CheckState.MISSING, says, programs.how_to_install(absent))
    return Check("slurm_lab", CheckState.OK, "python -m harness.lab start starts a SLURM test cluster on this machine")


def _headers() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
