"""Workers forked from a process that has imported torch, so that a run starts without seconds of imports."""
