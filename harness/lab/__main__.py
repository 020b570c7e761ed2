"""`python -m harness.lab`."""

import sys

try:
    from harness.lab.cli import main
except ModuleNotFoundError as error:  # slurm/lab/lab may run any python3
    sys.exit(f"lab: {sys.executable} has no package '{error.name}': python -m pip install -c constraints.txt -e .")

if __name__ == "__main__":
    sys.exit(main())
