"""The command line: one module a command. Modules import what they need inside the command, so that help is instant."""
