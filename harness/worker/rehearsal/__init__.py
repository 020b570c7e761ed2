"""A short try of a run on the machine that will have it: what it needs, and how long it will take."""
