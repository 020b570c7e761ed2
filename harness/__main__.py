"""`python -m harness`."""

import sys

from harness import INSTALL

if __name__ == "__main__":
    try:
        from harness.cli.main import main
    except ModuleNotFoundError as error:
        if (error.name or "harness").partition(".")[0] == "harness":
            raise
        sys.exit(f"harness: the package '{error.name}' is not installed: {INSTALL}")
    sys.exit(main())
