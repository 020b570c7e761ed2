"""Augmentation of whole batches as tensors."""
