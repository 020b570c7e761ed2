"""Datasets: the catalogue, prepared files, loaders and augmentation."""
