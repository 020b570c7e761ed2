"""Scaled dot-product attention."""

import torch
import torch.nn.functional as F
from torch import Tensor


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return softmax(q k^T / sqrt(width)) v for tensors `(batch, heads, tokens, width)` (HybViT Eq. 16)."""
    if q.device.type == "cpu" and q.dtype == torch.bfloat16:
        # The fused kernel has a slow backward pass for bfloat16 on a CPU (benchmarks/training.py).
        return (q @ k.mT * q.shape[-1] ** -0.5).softmax(dim=-1).to(v.dtype) @ v
    return F.scaled_dot_product_attention(q, k, v)
