"""Compare this project with the authors' code, number by number.

    git clone https://github.com/sndnyang/Diffusion_ViT ELSEWHERE
    pip install einops tqdm && pip install --no-deps torch-fidelity==0.3.0
    PYTHONPATH=. python -m tools.parity --official ELSEWHERE

The baselines are compared in the same way: --wrn, --jem, --vera, --jempp and --ddpm each take a
checkout. Keep checkouts
outside this repository. Both sides get the same weights, images, noise and random draws. A row passes if the largest
difference, relative to the largest official value, is within its tolerance. Exit codes: 0 if all rows pass; 1 if
some fail or could not be compared; 2 if a folder is not a checkout.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from tabulate import tabulate

from tools.parity import augmentation, baselines, evaluation, jempp, networks, process, training, vera
from tools.parity.official import DDPM, HYBVIT, JEM, JEMPP, VERA, WRN, Checkout, OfficialError, Repository, told
from tools.parity.process import quiet
from tools.parity.table import Row

BASELINES: dict[str, tuple[Repository, Callable[[Checkout], Iterator[Row]]]] = {
    "wide-resnet": (WRN, baselines.wide_resnet),
    "jem-network": (JEM, baselines.energy_network),
    "vera-network": (VERA, baselines.energy_network),
    "vera-generator": (VERA, baselines.generator),
    "vera-training": (VERA, vera.training),
    "jempp-network": (JEMPP, baselines.split_network),
    "jempp-initialisation": (JEMPP, jempp.initialisation),
    "jempp-training": (JEMPP, jempp.training),
    "unet": (DDPM, baselines.denoiser),
}
COMPARISONS: dict[str, Callable[[Checkout], Iterator[Row]]] = {
    "passes": networks.passes,
    "command-line": networks.built_by_their_command_line,
    "coefficients": process.coefficients,
    "loss": process.loss,
    "samples": process.samples,
    "bound": process.bound,
    "schedule": training.schedule,
    "epochs": training.epochs,
    "steps": training.steps,
    "mixing": augmentation.mixing,
    "erasing": augmentation.erasing,
    "policies": augmentation.policies,
    "calibration": evaluation.calibration,
    "outliers": evaluation.outliers,
    "attacks": evaluation.attacks,
    "quantisation": evaluation.quantisation,
    "fidelity": evaluation.fidelity,
}


def main(arguments: list[str] | None = None) -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for repository in (HYBVIT, WRN, JEM, VERA, JEMPP, DDPM):
        help = f"a checkout of {repository.address}"
        parser.add_argument(f"--{repository.option}", type=Path, metavar="PATH", help=help)
    everything = {name: (HYBVIT, function) for name, function in COMPARISONS.items()} | BASELINES
    parser.add_argument("--only", nargs="+", choices=everything, default=list(everything), metavar="NAME")
    settings = parser.parse_args(arguments)
    torch.set_num_threads(1)
    given = {name: (each, getattr(settings, each.option), compare) for name, (each, compare) in everything.items()}
    chosen = {name: given[name] for name in settings.only if given[name][1] is not None}
    if not chosen:
        parser.error("no checkout given for the requested comparisons")
    rows, complaints = [], []
    try:
        checkouts = {each.option: Checkout(path, each) for each, path, _ in chosen.values()}
    except OfficialError as error:
        print(error, file=sys.stderr)
        return 2
    for name, (repository, _, function) in chosen.items():
        checkout = checkouts[repository.option]
        try:
            with quiet():
                rows += function(checkout)
        except OfficialError as error:
            complaints.append(f"{name}: not compared: {error}")
        except (Exception, SystemExit) as error:  # other revisions of third-party code may raise anything
            complaints.append(f"{name}: not compared: {type(error).__name__}: {told(error)}{checkout.skipped()}")
    commits = ", ".join(f"{option} {each.commit()}" for option, each in checkouts.items())
    print(f"commits: {commits}; torch {torch.__version__}")
    cells = [
        (row.what, row.precision, f"{row.absolute:.1e}", f"{row.relative:.1e}", f"{row.tolerance:.0e}",
         "equal" if row.holds else "DIFFERS") for row in rows
    ]  # fmt: skip
    print(tabulate(cells, ("compared", "precision", "absolute", "relative", "tolerance", ""), disable_numparse=True))
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return int(bool(complaints) or not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main())
