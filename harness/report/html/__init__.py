"""The HTML page of a paper: one file that opens from a disk, and the same page served while runs progress."""
