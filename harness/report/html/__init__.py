"""The HTML page of a paper: one self-contained file, and the same page served live while runs progress."""
