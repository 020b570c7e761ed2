"""Planning and launching: tables to distinct runs, and runs to processes."""
