"""Drawing of figures: one module for each kind of figure in `harness.registry.figures`."""
