"""Clears this process's caches of installed distributions, as in a new process."""

import importlib

from harness.store import code, distributions, git

REMEMBERED = (
    distributions.installed,
    distributions.own_distribution,
    distributions.offering,
    distributions.owner_of,
    code._owners,
)


def forget():
    importlib.invalidate_caches()
    git.forget()
    for remembered in REMEMBERED:
        remembered.cache_clear()
