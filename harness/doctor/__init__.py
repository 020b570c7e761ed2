"""Checks of what this machine can run: sentences for people, facts for programs."""
