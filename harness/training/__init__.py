"""The training loop and its parts: optimiser, schedule, EMA and checkpoints."""
