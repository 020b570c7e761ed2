"""How figures are drawn: a module for each kind of figure that `harness.registry.figures` names."""
