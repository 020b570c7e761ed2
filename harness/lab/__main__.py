"""`python -m harness.lab`."""

import sys

from harness.lab.cli import main

if __name__ == "__main__":
    sys.exit(main())
