"""Rerun the tables of ML papers and compare the measured values with the reported ones."""

__version__ = "0.1.0"
INSTALL = "python -m pip install -c constraints.txt -e ."
"""The command that installs a clone."""
OWN_MODULES = "harness."
"""The prefix of the harness's own modules, as opposed to those of external papers."""
