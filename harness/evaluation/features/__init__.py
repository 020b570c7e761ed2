"""Feature spaces for the generation metrics, behind one interface."""
