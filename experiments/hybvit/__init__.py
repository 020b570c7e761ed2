"""Your ViT is Secretly a Hybrid Discriminative-Generative Diffusion Model (arXiv 2208.07791)."""

from harness_papers.hybvit.paper import PAPER

__all__ = ["PAPER"]
