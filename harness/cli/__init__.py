"""The command line: one module per command. Commands import lazily, so that `--help` is instant."""
