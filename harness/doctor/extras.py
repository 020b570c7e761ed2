"""What some results need and most do without: FFCV, Inception, a compiler, LaTeX, SLURM, a lab."""

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
from harness.report.latex import installation

APT = "sudo apt-get install -y --no-install-recommends"
SLURM = ("sbatch", "srun", "squeue")
PROGRAM = "#include <Python.h>\n#include <omp.h>\nint threads() { return omp_get_max_threads(); }\n"
"""What the code that torch.compile writes begins with."""


def check_ffcv() -> Check:
    """Look for FFCV, which loads the large datasets fastest."""
    found = probe("ffcv")["ffcv"]
    if "error" in found:
        says = f"{_absence(found, 'ffcv')}: other loaders take its place"
        return Check("ffcv", CheckState.MISSING, says, how_to_install())
    return Check("ffcv", CheckState.OK, found["version"], facts=found)


def check_inception(found: Mapping[str, Any]) -> Check:
    """Judge what the probe of the network behind FID and IS has found."""
    if "error" in found:
        says = f"{_absence(found, 'torch_fidelity')}: no FID and no IS"
        return Check("inception", CheckState.MISSING, says, f"{PIP} '.[inception]'")
    return Check("inception", CheckState.OK, f"torch-fidelity {found['version']}", facts=found)


def check_weights(root: Path) -> Check:
    """Look for the weights of that network, which are hashed."""
    try:
        path, _, sha256 = find_weights(root, None)
    except MissingRequirement as error:
        mend = f"python -m harness --data {shlex.quote(str(root))} data prepare inception --download"
        return Check("weights", CheckState.MISSING, "no Inception weights: no FID and no IS", mend, {"why": error.how})
    return Check("weights", CheckState.OK, f"{path}, the published ones", facts={"path": str(path), "sha256": sha256})


def _absence(found: Mapping[str, Any], package: str) -> str:
    """Say whether a package is not installed or does not work."""
    return "not installed" if found.get("absent") == package else f"cannot be imported ({found['error']})"


def check_compiler() -> Check:
    """Compile what torch.compile would: it needs Python's headers and OpenMP."""
    compiler = os.environ.get("CXX", "g++")
    without = "torch.compile does not work (--compile off)"
    if shutil.which(compiler) is None:
        return Check("compiler", CheckState.MISSING, f"no {compiler}: {without}", f"{APT} g++ {_headers()}")
    include = sysconfig.get_paths()["include"]
    with tempfile.NamedTemporaryFile(suffix=".so") as library:
        command = [compiler, "-x", "c++", "-shared", "-fPIC", "-fopenmp", f"-I{include}", "-o", library.name, "-"]
        done = run(command, PROGRAM)
    if isinstance(done, str) or done.returncode:
        reason = done if isinstance(done, str) else " ".join(done.stderr.split())[:160]
        return Check(
            "compiler", CheckState.MISSING, f"{compiler} fails: {reason}; {without}", f"{APT} g++ {_headers()}"
        )
    return Check(
        "compiler", CheckState.OK, f"{compiler} compiles what torch.compile writes", facts={"command": compiler}
    )


def check_latex() -> Check:
    """Look for what makes a PDF of the report."""
    if lacking := installation.lacking():
        says = f"no {', '.join(lacking)}: the report's .tex files are written all the same"
        return Check("latex", CheckState.MISSING, says, f"{APT} {' '.join(installation.DEBIAN)}")
    return Check(
        "latex", CheckState.OK, "pdflatex makes PDFs of the report", facts={"command": shutil.which("pdflatex")}
    )


def check_slurm() -> Check:
    """Look for a cluster's commands."""
    there = [command for command in SLURM if shutil.which(command)]
    facts = {"commands": there}
    if len(there) < len(SLURM):
        return Check("slurm", CheckState.MISSING, "no cluster here: runs stay on this machine", facts=facts)
    says = f"{', '.join(there)} are here, for 'run --executor slurm' (docs/slurm.md)"
    return Check("slurm", CheckState.OK, says, facts=facts)


def check_lab() -> Check:
    """Look for the programs of a SLURM on this machine, to rehearse on."""
    absent = programs.missing(Shape())
    if absent:
        says = f"no {', '.join(absent)}: no SLURM to rehearse on"
        return Check("slurm_lab", CheckState.MISSING, says, programs.how_to_install(absent))
    return Check("slurm_lab", CheckState.OK, "python -m harness.lab start brings up a SLURM on this machine")


def _headers() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
