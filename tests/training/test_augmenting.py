"""Augmentation keeps shape and range, leaves white paper white, is decided by its generator; batches and samplers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.batch import Batch, Part, Sampler, drop_modalities
from assay.training.augment import PictureChanges, change_pictures, change_sounds, hide_words

STILL = PictureChanges(*([0.0] * 15))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_pictures_keep_shape_and_range_and_change() -> None:
    pictures = torch.rand(8, 3, 48, 48, generator=generator())
    changed = change_pictures(pictures.clone(), generator())
    assert changed.shape == pictures.shape
    assert float(changed.min()) >= 0 and float(changed.max()) <= 1
    assert float((changed - pictures).abs().mean()) > 0.01


def test_one_seed_one_outcome() -> None:
    pictures = torch.rand(4, 3, 32, 32, generator=generator())
    assert torch.equal(change_pictures(pictures.clone(), generator(1)), change_pictures(pictures.clone(), generator(1)))
    assert not torch.equal(
        change_pictures(pictures.clone(), generator(1)), change_pictures(pictures.clone(), generator(2))
    )


def test_white_paper_stays_white_but_for_noise_and_patches() -> None:
    quiet = PictureChanges(noise=0.0, erase=0.0)
    changed = change_pictures(torch.ones(16, 3, 32, 32), generator(), quiet)
    assert float(changed.min()) > 0.99


def test_without_changes_a_picture_is_itself() -> None:
    pictures = torch.rand(4, 3, 32, 32, generator=generator()).clamp(0.01, 0.99)
    torch.testing.assert_close(change_pictures(pictures.clone(), generator(), STILL), pictures, atol=2e-3, rtol=0)


def test_the_input_is_not_written_to() -> None:
    pictures = torch.rand(4, 3, 32, 32, generator=generator())
    kept = pictures.clone()
    change_pictures(pictures, generator())
    assert torch.equal(pictures, kept)


def test_sounds_keep_shape_and_an_end() -> None:
    mels = torch.randn(6, 64, 192, generator=generator())
    mels[:, :, 100:] = 0
    changed = change_sounds(mels, generator())
    heard = (changed != 0).any(1)
    assert changed.shape == mels.shape and bool(torch.isfinite(changed).all())
    # Slower or faster by at most a quarter: the end lies between 75 and 130, and nothing comes after it.
    ends = [int(torch.nonzero(row).max()) + 1 for row in heard]
    assert all(70 <= end <= 130 for end in ends) and len(set(ends)) > 1
    assert all(bool(row[:end].all()) for row, end in zip(heard, ends, strict=True))


def test_hidden_words_never_take_a_whole_text() -> None:
    ids = torch.ones(200, 3, 4, dtype=torch.int64)
    hidden = hide_words(ids, generator(), words=0.9, parts=0.0)
    assert bool((hidden > 0).any(2).any(1).all())
    assert float((hidden > 0).float().mean()) < 0.6


@settings(deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 1))
def test_dropping_leaves_every_sample_something(seed: int, share: float) -> None:
    rows = {"image": [0, 1, 2, 4], "text": [1, 2, 3], "audio": [2]}
    parts = {name: Part(torch.tensor(r), torch.zeros(len(r), 2)) for name, r in rows.items()}
    batch = Batch(("a", "b", "c", "d", "e"), parts)
    kept = drop_modalities(batch, share, generator(seed))
    present = torch.stack([kept.present(name) for name in rows])
    assert bool(present.any(0).all())
    assert not bool((present & ~torch.stack([batch.present(name) for name in rows])).any())


def test_dropping_nothing_keeps_all() -> None:
    batch = Batch(("a",), {"image": Part(torch.tensor([0]), torch.zeros(1, 2))})
    assert drop_modalities(batch, 0.0, generator()).parts.keys() == {"image"}


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 100))
def test_a_sampler_gives_every_index_once_per_epoch(n: int, size: int, seed: int) -> None:
    sampler = Sampler(n, size, generator(seed))
    drawn = torch.cat([sampler.draw() for _ in range(n)])
    assert torch.bincount(drawn, minlength=n).tolist() == [size] * n


def test_an_empty_split_is_told() -> None:
    with pytest.raises(ValueError, match="no samples"):
        Sampler(0, 4, generator())
