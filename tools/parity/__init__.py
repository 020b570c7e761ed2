"""Holds this project against the authors' code: the same weights, inputs and noise through both."""
