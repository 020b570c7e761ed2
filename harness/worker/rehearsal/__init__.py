"""Short trial of a run on its target machine: which requirements fail, and how long the run will take."""
