"""A paper from outside: its specifications, which import no torch."""
