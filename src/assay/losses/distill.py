"""From a teacher to a student: logits, features, relations between samples, and across modalities.

Sources: Hinton et al. 2015 (logits), FitNets (Romero et al. 2015), relational distillation (Park et al. 2019); across
modalities (Gupta et al. 2016) the same losses hold: the teacher has seen a modality that the student lacks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def soften(student: Tensor, teacher: Tensor, temperature: float = 4.0) -> Tensor:
    """T² KL(teacher ‖ student) of softened logits ``[n, k]``, summed over classes and averaged over the batch.

    Averaging over elements instead would divide the loss by k. It is 0 where both agree.

    >>> logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    >>> float(soften(logits, logits))
    0.0
    """
    log_student = (student.float() / temperature).log_softmax(1)
    log_teacher = (teacher.detach().float() / temperature).log_softmax(1)
    return temperature**2 * F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True)


def distil(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor | None = None,
    *,
    temperature: float = 4.0,
    hard: float = 0.1,
    soft: float = 0.9,
) -> Tensor:
    """``hard`` times the cross-entropy against ``labels int64[n]`` (none: left out) plus ``soft`` times `soften`."""
    loss = soft * soften(student, teacher, temperature)
    return loss if labels is None else loss + hard * F.cross_entropy(student.float(), labels)


def imitate(student: Tensor, teacher: Tensor) -> Tensor:
    """FitNets: the mean squared error of features ``[n, d]`` (the student's passed a regressor to the teacher's width)."""
    if student.shape != teacher.shape:
        raise ValueError(f"features of one shape were expected, not {tuple(student.shape)} and {tuple(teacher.shape)}")
    return F.mse_loss(student.float(), teacher.detach().float())


def relate(student: Tensor, teacher: Tensor, *, distance: float = 25.0, angle: float = 50.0) -> Tensor:
    """Relational distillation: distances between samples and angles among triples should be alike, not the features.

    ``student [n, d]`` and ``teacher [n, e]`` may differ in width. Distances are divided by their mean; Huber's loss.
    """
    student, teacher = student.float(), teacher.detach().float()
    loss = distance * F.smooth_l1_loss(_distances(student), _distances(teacher))
    return loss + angle * F.smooth_l1_loss(_angles(student), _angles(teacher))


def _distances(x: Tensor) -> Tensor:
    """Euclidean distances ``[n, n]`` over their mean off the diagonal."""
    apart = ~torch.eye(len(x), dtype=torch.bool, device=x.device)
    squared = (x[:, None] - x[None, :]).square().sum(2)
    # The root has no gradient at 0: the diagonal is kept away from it.
    root = squared.masked_fill(~apart, 1.0).clamp(min=1e-12).sqrt() * apart
    return root / (root.sum() / apart.sum().clamp(min=1)).clamp(min=1e-12)


def _angles(x: Tensor) -> Tensor:
    """The cosines ``[n, n, n]`` at every sample between every two others."""
    towards = F.normalize(x[None, :] - x[:, None], dim=2)
    return towards @ towards.transpose(1, 2)
