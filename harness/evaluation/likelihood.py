"""Likelihood: the full variational bound of every example in bits per dimension (HybViT Eq. 5-8, the authors' code).

Sums all T terms with one noise draw each, the discretised decoder at t = 0, and the prior term. Artefact:
`bits_per_dim.npy` `(n,)` float32, in the order of the split.
"""

import numpy as np
import torch

from harness.config.evaluations import Likelihood
from harness.evaluation.base import EvaluationResult, Subject, large_block
from harness.methods.base import LikelihoodModel
from harness.store.records import Measurement


@torch.inference_mode()
def evaluate(evaluation: Likelihood, subject: Subject) -> EvaluationResult:
    """Return the bits per dimension averaged over the split."""
    model, stream, found = subject.model, subject.stream("likelihood"), []
    assert isinstance(model, LikelihoodModel)
    loader, block = subject.loader(evaluation.split), large_block(subject.device)
    part = subject.comm.shard(len(loader), block)
    with subject.accelerated("fp32"):
        for batch in loader.blocks(block, part):
            found.append(model.bits_per_dim(batch.inputs, stream, batch.indices).cpu().numpy())
            subject.report(sum(map(len, found)), len(part))
    bits = np.concatenate(subject.comm.all_gather(found))
    subject.save("bits_per_dim", bits)
    return EvaluationResult({"bits_per_dim": Measurement(value=float(bits.mean(dtype=np.float64)), n=len(bits))})
