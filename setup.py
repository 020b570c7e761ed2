"""Packages, of which one has another name than its folder: `experiments/` is installed as `harness_papers`.

A package called `experiments` would shadow the folder of that name in many repositories.
"""

from setuptools import find_packages, setup

PAPERS = "harness_papers"

setup(
    packages=[
        *find_packages(include=["harness", "harness.*"]),
        PAPERS,
        *(f"{PAPERS}.{name}" for name in find_packages("experiments")),
    ],
    package_dir={PAPERS: "experiments"},
)
