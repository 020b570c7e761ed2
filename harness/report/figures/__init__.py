"""Drawing of figures: one module for each kind of figure in `harness.registry.figures`."""

from harness.report.figures.quiet import prepare

prepare()  # before any module here imports Matplotlib
