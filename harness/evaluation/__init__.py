"""Protocols that turn a trained model into numbers."""
