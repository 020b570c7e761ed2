"""Top-1 accuracy: EMA weights, un-augmented images in [-1, 1], no timestep, as in the authors' code.

Artefacts: `logits.npy` `(n, classes)` float32 and `labels.npy` `(n,)`, in the order of the split.
"""

import numpy as np
import torch

from harness.evaluation.base import BLOCK, Findings, Subject
from harness.methods.base import Classifier
from harness.spec.evaluations import Accuracy
from harness.store.records import Measurement


@torch.inference_mode()
def evaluate(evaluation: Accuracy, subject: Subject) -> Findings:
    """Return the percentage of images whose largest logit is that of their label."""
    model = subject.model
    assert isinstance(model, Classifier)
    loader = subject.loader(evaluation.split)
    logits, labels = [], []
    for batch in loader.blocks(BLOCK):
        logits.append(model.logits(batch.images).float().cpu().numpy())
        labels.append(batch.labels.cpu().numpy())
        subject.report(sum(map(len, labels)), len(loader))
    all_logits, all_labels = np.concatenate(logits), np.concatenate(labels)
    subject.save("logits", all_logits)
    subject.save("labels", all_labels)
    if not np.isfinite(all_logits).all():
        return Findings({"accuracy": Measurement(value=float("nan"), n=len(all_labels))})
    correct = int((all_logits.argmax(axis=1) == all_labels).sum())
    return Findings({"accuracy": Measurement(value=100 * correct / len(all_labels), n=len(all_labels))})
