"""A harness that reruns the tables of a paper and holds what was measured against what was reported."""

__version__ = "0.1.0"
INSTALL = "python -m pip install -c constraints.txt -e ."
"""The command that installs a clone."""
OWN_MODULES = "harness."
"""The prefix of the names of the harness's own modules, as against those of a paper from elsewhere."""
