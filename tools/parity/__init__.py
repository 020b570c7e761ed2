"""Compares this project with the authors' code on the same weights, inputs and noise."""
