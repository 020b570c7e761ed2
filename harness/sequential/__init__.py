"""Sequential decisions: seeds are added in rounds, only where claims are undecided."""
