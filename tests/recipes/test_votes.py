"""Factors of votes: what is sure counts, what is noise does not, what repeats counts once; alone and together are told apart."""

import pytest
import torch

from assay.data.batch import Batch, Part
from assay.models.aligned import Aligned, AlignedSettings
from assay.models.encoders.text import text_tensor
from assay.recipes.votes import fitted


def votes(n: int = 600, classes: int = 4, right: float = 0.7, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits under which the true class has a ``right`` chance to be told; they are calibrated."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (n,), generator=generator)
    told = torch.where(
        torch.rand(n, generator=generator) < right, labels, torch.randint(0, classes, (n,), generator=generator)
    )
    share = right + (1 - right) / classes
    logits = torch.zeros(n, classes, dtype=torch.float64)
    logits[torch.arange(n), told] = float(torch.logit(torch.tensor(share, dtype=torch.float64))) + float(
        torch.log(torch.tensor(classes - 1.0))
    )
    return logits, labels


def test_calibrated_votes_count_in_full_and_too_sure_ones_less() -> None:
    logits, labels = votes()
    assert float(fitted([logits], labels)[0]) == pytest.approx(1, abs=0.1)
    assert float(fitted([2.5 * logits], labels)[0]) == pytest.approx(0.4, abs=0.04)


def test_noise_does_not_count_and_an_echo_counts_once() -> None:
    logits, labels = votes()
    noise = torch.randn(logits.shape, generator=torch.Generator().manual_seed(1)).double()
    one, other = fitted([logits, noise], labels).tolist()
    assert one == pytest.approx(1, abs=0.1) and abs(other) < 0.2
    assert float(fitted([logits, logits], labels).sum()) == pytest.approx(1, abs=0.1)


def test_rows_without_a_vote_say_nothing() -> None:
    logits, labels = votes()
    holes = logits.clone()
    holes[::2] = torch.nan
    assert torch.allclose(fitted([holes], labels), fitted([logits[1::2]], labels[1::2]), atol=1e-6)
    separable = torch.eye(4).double()
    assert float(fitted([separable], torch.arange(4))[0]) < 100


def test_a_net_weighs_a_lone_vote_and_a_common_one_differently() -> None:
    torch.manual_seed(0)
    sizes = {"dim": 16, "image_widths": (16, 16, 16), "buckets": 64, "text_width": 16}
    plain = Aligned(AlignedSettings(**sizes)).eval()
    weighed = Aligned(AlignedSettings(**sizes, alone=(1.0, 0.5, 1.0), together=(0.0, 1.0, 1.0))).eval()
    weighed.load_state_dict(plain.state_dict())
    picture = Part(torch.arange(2), torch.rand(2, 3, 16, 16))
    text = Part(torch.tensor([1]), text_tensor(("red",), 64))
    batch = Batch(("alone", "both"), {"image": picture, "text": text})
    with torch.no_grad():
        phrases = plain.vectors("text", text_tensor(("one", "two", "three"), 64))
        full = plain.class_logits(Batch(batch.ids, {"image": picture}), phrases)
        got = weighed.class_logits(batch, phrases).log_softmax(1)
    assert torch.allclose(got[0], (0.5 * full[0]).log_softmax(0), atol=1e-5)
    assert torch.allclose(got[1], full[1], atol=1e-5)


def test_factors_are_as_many_as_modalities() -> None:
    with pytest.raises(ValueError, match="together holds 2 factors for 3 modalities"):
        Aligned(AlignedSettings(together=(1.0, 0.5)))
