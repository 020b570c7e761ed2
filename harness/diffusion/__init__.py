"""Noise schedules, the Gaussian process, samplers and the variational bound."""
