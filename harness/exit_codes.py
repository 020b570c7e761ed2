"""Exit codes of the command line and of workers."""
