"""Datasets: catalogue, prepared files, loaders and augmentation."""
