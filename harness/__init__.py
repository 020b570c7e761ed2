"""A harness that reruns the tables of a paper and holds what was measured against what was reported."""

__version__ = "0.1.0"
INSTALL = "python -m pip install -c constraints.txt -e ."
"""The command that installs a clone."""
