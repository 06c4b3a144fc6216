"""The recipes of contrast on made-up concepts: who learns, where losses start, what is kept."""

import math

import pytest
import torch

from assay.losses.contrastive import sigmoid_contrast
from assay.models.aligned import Aligned, AlignedSettings
from assay.models.encoders.audio import BANDS, FRAMES
from assay.models.encoders.text import text_tensor
from assay.models.native import load_native
from assay.models.processor import Processor
from assay.recipes.contrast import Contrast, CoupleSource, clip_loss, imagebind_loss, siglip_loss
from assay.recipes.corpus import Corpus, table
from assay.training.loop import train
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe

N, BUCKETS = 12, 64


def corpus() -> Corpus:
    generator = torch.Generator().manual_seed(0)
    texts = text_tensor([f"thing {i}" for i in range(N)], BUCKETS).to(torch.int16)
    each = table(texts, list(range(N)), N)
    return Corpus(
        concepts=tuple(f"c{i}" for i in range(N)),
        classes=("a", "b"),
        categories=torch.arange(N) % 2,
        pictures=table(torch.randint(0, 255, (N, 3, 32, 32), generator=generator).to(torch.uint8), list(range(N)), N),
        # Every second concept is silent.
        sounds=table(torch.randn(N // 2, BANDS, FRAMES, generator=generator).half(), list(range(0, N, 2)), N),
        names=each,
        keywords=each,
        foreign=each,
        class_ids=text_tensor(["a", "b"], BUCKETS),
        subcategories=torch.arange(N) % 3,
        subcategory_ids=text_tensor(["x", "y", "z"], BUCKETS),
    )


def contrast(modalities: tuple[str, ...] = ("text", "image"), locked: tuple[str, ...] = ()) -> Contrast:
    torch.manual_seed(0)
    sizes = AlignedSettings(
        dim=32, image_widths=(16, 16), buckets=BUCKETS, text_width=32, dropout=0.0, modalities=modalities
    )
    return Contrast(Aligned(sizes), locked)


def test_a_batch_holds_each_concept_once_with_its_own_things():
    source = CoupleSource(corpus(), 5, 0, heard=True)
    for _ in range(6):
        drawn = source.draw()
        assert len(set(drawn.ids)) == len(drawn.ids) == len(drawn.pictures) == len(drawn.texts)
        assert [int(drawn.ids[i][1:]) % 2 for i in drawn.sound_of.tolist()] == [0] * len(drawn.sounds)
    assert len(CoupleSource(corpus(), 5, 0).draw().sounds) == 0


def test_losses_start_where_they_should():
    net, drawn = contrast(), CoupleSource(corpus(), N, 0).draw()
    with torch.no_grad():
        net.towers.log_scale.fill_(-20)
    assert float(clip_loss(net, drawn)["contrast"].detach()) == pytest.approx(math.log(N), abs=1e-4)
    # Without scale every pair is as the bias says: one right pair and N - 1 wrong ones each.
    bias = float(sigmoid_contrast(torch.zeros(N, 2), torch.zeros(N, 2), 1.0, -10.0))
    assert float(siglip_loss(net, drawn)["contrast"].detach()) == pytest.approx(bias, abs=1e-3)


def test_in_chunks_the_gradients_of_the_texts_are_the_same():
    net, drawn = contrast(), CoupleSource(corpus(), N, 0).draw()
    net.towers.towers["image"].eval()  # a batch norm would see chunks instead of the batch
    found = []
    for chunk in (0, 5):
        net.zero_grad()
        clip_loss(net, drawn, chunk)["contrast"].backward()
        found.append([p.grad.clone() for p in net.towers.parameters() if p.grad is not None])
    for whole, chunked in zip(*found, strict=True):
        torch.testing.assert_close(chunked, whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "locked,loss,learns",
    [((), clip_loss, {"text", "image"}), (("image",), clip_loss, {"text"}), ((), siglip_loss, {"text", "image"})],
)
def test_a_locked_tower_learns_nothing_at_all(locked, loss, learns):
    net, drawn = contrast(locked=locked), CoupleSource(corpus(), N, 0).draw()
    net.train()
    before = {k: v.clone() for k, v in net.towers.towers.state_dict().items()}
    optimiser = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=0.01)
    loss(net, drawn)["contrast"].backward()
    optimiser.step()
    changed = {k.split(".")[0] for k, v in net.towers.towers.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == learns


def test_sounds_learn_from_pictures_alone():
    everything = ("text", "image", "audio")
    net = contrast(everything, locked=("text", "image"))
    net.train()
    imagebind_loss(net, CoupleSource(corpus(), N, 0, heard=True).draw())["audio"].backward()
    moved = {name for name, tower in net.towers.towers.items() if any(p.grad is not None for p in tower.parameters())}
    assert moved == {"audio"}


def test_what_is_kept_is_the_towers(tmp_path):
    net = contrast()
    recipe = Recipe(
        name="clip",
        settings={"steps": 3},
        net=net,
        processor=Processor(size_px=32, buckets=BUCKETS),
        source=CoupleSource(corpus(), N, 0),
        losses=clip_loss,
        optim=OptimSettings(lr=0.01, steps=3),
        precision="f32",
        export=Contrast.model,
    )
    model = load_native(train(recipe, out=tmp_path))
    assert model.method == "aligned" and model.modalities == {"text", "image"} and model.aligned_space
    assert "sound" not in str(model.net) and float(model.net.log_class_scale) == float(model.net.log_scale)


def test_towers_that_are_not_there_are_told():
    with pytest.raises(ValueError, match="no tower for the modality 'smell'"):
        Aligned(AlignedSettings(modalities=("smell",)))
    with pytest.raises(ValueError, match="did you mean vit"):
        Aligned(AlignedSettings(image="vti"))
    vit = Aligned(AlignedSettings(dim=16, modalities=("image",), image="vit", size_px=16, patch_px=8, image_layers=1))
    assert vit.vectors("image", torch.rand(2, 3, 16, 16)).shape == (2, 16)
