"""How figures are drawn: one module for each kind of them, as `harness.spec.drawings` names it."""
