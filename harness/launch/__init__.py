"""From tables to distinct runs, and from runs to processes."""
