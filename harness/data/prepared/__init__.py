"""Prepared datasets: arrays with a manifest, written once and memory-mapped by all runs."""
