"""Feature spaces of the generation metrics."""
