"""Recomputes recorded numbers from their stored arrays, with libraries that other people maintain."""
