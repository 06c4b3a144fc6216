"""What the recipes draw and minimise, on a small made-up corpus: shapes, owners, initial losses, exact continuation."""

import math

import pytest
import torch

from assay.models.aligned import Aligned, AlignedSettings
from assay.models.encoders.audio import FRAMES
from assay.models.encoders.text import text_tensor
from assay.models.fused import Fused, FusedSettings
from assay.models.joint import Joint, JointSettings
from assay.recipes.aligned import CATEGORY, SUBCATEGORY, PairSource, aligned_losses, validate_aligned
from assay.recipes.classified import (
    VIEWS_WEIGHT,
    LabelledSource,
    draw_captions,
    held_batches,
    validate_classifier,
    views_alike,
)
from assay.recipes.corpus import Corpus, Table, read_corpus, table
from assay.recipes.fused import fused_losses
from assay.recipes.joint import SHOWING, joint_losses

CLASSES = ("food", "animals", "flags")
SMALL = {"dim": 32, "buckets": 256, "text_width": 32, "dropout": 0.0}


def corpus(n: int = 12) -> Corpus:
    """``n`` concepts with two pictures each; every third is silent."""
    generator = torch.Generator().manual_seed(0)
    heard = [i for i in range(n) if i % 3]
    texts = [f"thing{i} colour{i % 4}" for i in range(n)]
    captions = table(text_tensor(texts, 256).to(torch.int16), list(range(n)), n)
    return Corpus(
        concepts=tuple(f"c{i}" for i in range(n)),
        classes=CLASSES,
        categories=torch.arange(n) % 3,
        pictures=table(
            torch.randint(0, 255, (2 * n, 3, 48, 48), generator=generator).to(torch.uint8),
            [i // 2 for i in range(2 * n)],
            n,
        ),
        sounds=table(torch.randn(len(heard), 64, FRAMES, generator=generator).half(), heard, n),
        names=captions,
        keywords=captions,
        foreign=captions,
        class_ids=text_tensor(CLASSES, 256),
        subcategories=torch.arange(n) % 4,
        subcategory_ids=text_tensor(("fruit", "birds", "mammals", "stars"), 256),
    )


def test_a_table_draws_only_a_concepts_own_rows() -> None:
    made: Table = table(torch.arange(5), [0, 1, 1, 1, 2], 3)
    generator = torch.Generator().manual_seed(0)
    drawn = {c: {int(made.draw(torch.tensor([c]), generator)) for _ in range(50)} for c in range(3)}
    assert drawn == {0: {0}, 1: {1, 2, 3}, 2: {4}}


def test_pairs_know_their_owners() -> None:
    made = corpus()
    pairs = PairSource(made, 6, seed=1).draw()
    assert pairs.pictures.shape == (12, 3, 48, 48) and len(pairs.ids) == 6
    assert torch.bincount(pairs.picture_of).max() == 2
    assert bool((made.sounds.counts[pairs.sound_of] == 1).all()) and len(pairs.sounds) == len(pairs.sound_of)
    assert len(set(pairs.name_of.tolist())) == len(pairs.name_of) == len(pairs.names) == 12
    assert pairs.caption_of.tolist() == [made.concepts.index(name) for name in pairs.ids]


def test_small_pictures_come_first() -> None:
    source = PairSource(corpus(), 4, seed=1, small_steps=2)
    assert [source.draw().pictures.shape[-1] for _ in range(3)] == [32, 32, 48]


def test_a_source_goes_on_where_it_was_kept() -> None:
    for make in (
        lambda: PairSource(corpus(), 5, 3, small_steps=2),
        lambda: LabelledSource(corpus(), 6, 3, SHOWING),
    ):
        first, second = make(), make()
        first.draw()
        second.restore(first.state())
        for _ in range(2):
            a, b = first.draw(), second.draw()
            assert a.ids == b.ids
            if hasattr(a, "pictures"):
                assert torch.equal(a.pictures, b.pictures) and torch.equal(a.names, b.names)
            else:
                assert all(torch.equal(part.values, b.batch.parts[m].values) for m, part in a.batch.parts.items())


def test_aligned_starts_near_ln_n_and_reaches_every_tower() -> None:
    torch.manual_seed(0)
    made = corpus()
    net = Aligned(AlignedSettings(image_widths=(16, 16, 32), **SMALL))
    with torch.no_grad():
        net.log_scale.fill_(-10.0)
        net.log_class_scale.fill_(-10.0)
    losses = aligned_losses(net, PairSource(made, 12, seed=1).draw(), made)
    # 24 pictures against 12 names, both ways; 12 captions at half; 23 other pictures at half; three classes and four
    # subclasses for pictures, names and captions; all sounds of a kind are right for a picture of that kind.
    assert float(losses["names"].detach()) == pytest.approx((math.log(24) + math.log(12)) / 2, abs=0.01)
    assert float(losses["captions"].detach()) == pytest.approx((math.log(24) + math.log(12)) / 4, abs=0.01)
    assert float(losses["styles"].detach()) == pytest.approx(math.log(23) / 2, abs=0.01)
    assert float(losses["classes"].detach()) == pytest.approx(3 * CATEGORY * math.log(3), abs=0.01)
    assert float(losses["subclasses"].detach()) == pytest.approx(3 * SUBCATEGORY * math.log(4), abs=0.01)
    torch.stack(list(losses.values())).sum().backward()
    assert all(any(p.grad is not None for p in tower.parameters()) for tower in net.towers.values())


def test_sound_and_text_never_meet_in_training() -> None:
    """Every loss that moves the sounds' tower leaves the texts' alone: what they share they have from pictures."""
    torch.manual_seed(0)
    made = corpus()
    net = Aligned(AlignedSettings(image_widths=(16, 16, 32), **SMALL))
    heard = []
    for name, loss in aligned_losses(net, PairSource(made, 12, seed=1).draw(), made).items():
        net.zero_grad(set_to_none=True)
        loss.backward(retain_graph=True)
        if any(p.grad is not None for p in net.towers["audio"].parameters()):
            heard.append(name)
            assert all(p.grad is None for p in net.towers["text"].parameters()), name
    assert heard == ["sounds", "sound_kinds"]


def test_classifiers_start_near_ln_k() -> None:
    torch.manual_seed(0)
    made = corpus()
    drawn = LabelledSource(made, 64, seed=2).draw()
    joint = Joint(JointSettings(CLASSES, image_widths=(16, 16, 16, 32), layers=1, **SMALL))
    fused = Fused(FusedSettings(CLASSES, image_widths=(16, 16, 32), **SMALL))
    assert float(joint_losses(joint, drawn)["classes"].detach()) == pytest.approx(math.log(3), abs=0.4)
    losses = fused_losses(fused, drawn)
    assert set(losses) == {"classes", "alone_text", "alone_image", "alone_audio"}
    assert float(losses["classes"].detach()) == pytest.approx(math.log(3), abs=0.4)


def test_hidden_modalities_leave_each_alone_often() -> None:
    drawn = LabelledSource(corpus(), 400, seed=2).draw()
    count = torch.stack([drawn.batch.present(m) for m in ("image", "text", "audio")]).sum(0)
    assert int(count.min()) == 1 and 0.2 < float((count == 1).float().mean()) < 0.8


def test_every_concept_is_shown_in_two_views_and_these_are_drawn_together() -> None:
    drawn = LabelledSource(corpus(), 12, 2, SHOWING).draw()
    assert len(drawn.ids) == 12 and torch.bincount(drawn.concepts).max() == 2
    assert drawn.ids[:6] == drawn.ids[6:] and torch.equal(drawn.labels, corpus().categories[drawn.concepts])
    alike = torch.eye(6).repeat(2, 1)
    assert float(views_alike(alike, drawn)) < 0.01 < float(views_alike(torch.ones(12, 6), drawn))
    assert float(views_alike(torch.ones(12, 6), drawn)) == pytest.approx(VIEWS_WEIGHT * math.log(11), abs=1e-4)


def test_captions_are_cut_to_the_longest() -> None:
    made = corpus()
    ids = draw_captions(made, torch.arange(12), torch.Generator().manual_seed(0))
    assert ids.shape[:2] == (12, 2) and bool((ids > 0).any(2).all())


def test_validation_gives_shares() -> None:
    torch.manual_seed(0)
    made = corpus()
    net = Aligned(AlignedSettings(image_widths=(16, 16, 32), **SMALL)).eval()
    figures = validate_aligned(net, made)
    batches = held_batches(made)
    fused = Fused(FusedSettings(CLASSES, image_widths=(16, 16, 32), **SMALL)).eval()
    figures |= validate_classifier(fused, batches)
    assert len(figures) == 8 and all(0 <= value <= 1 for value in figures.values())
    assert len(batches["audio"][0]) == 8 and len(batches["all"][0]) == 12


def test_the_bundled_corpus_of_validation_is_whole() -> None:
    from assay.models.processor import Processor

    read = read_corpus(Processor(), 0, "validation")
    n = len(read.concepts)
    assert n == 150 and int(read.pictures.counts.sum()) == 300 and read.pictures.values.shape[1:] == (3, 48, 48)
    assert read.foreign.counts.median() > 15 and int(read.keywords.counts.min()) >= 1
    assert len(read.classes) == 9 and int(read.categories.max()) <= 8
