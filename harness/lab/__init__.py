"""A real SLURM on one machine, to test against and to rehearse on."""
