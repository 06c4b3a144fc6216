"""The small recipes on made-up data: what a batch is, where each loss starts, who learns, what is kept."""

import math

import numpy as np
import pytest
import torch

from assay.data.batch import Batch, Part
from assay.data.media import Image, Video
from assay.losses.masked import patches
from assay.models.aligned import Aligned, AlignedSettings
from assay.models.encoders.vit import PatchTokens
from assay.models.fused import Fused, FusedSettings
from assay.models.native import load_native
from assay.models.processor import Processor
from assay.recipes.corpus import table
from assay.recipes.distil_crossmodal import Taught, TaughtSource, taught_losses
from assay.recipes.fewshot import episode_loss
from assay.recipes.mae import MaskedAutoencoder, mae_loss
from assay.recipes.moco import Momentum, moco_loss
from assay.recipes.multitask import Digits, DigitSource, Tasks, digits, tasks_losses, validate_tasks
from assay.recipes.video import Films, FilmSource
from assay.recipes.views import Pictures, Views, ViewSource, across_styles, neighbours_category
from assay.training.balance import BALANCES
from assay.training.loop import train
from assay.types import Sample

N, PX = 12, 16
CNN = AlignedSettings(dim=32, image_widths=(16, 16), dropout=0.0, modalities=("image",))
VIT = AlignedSettings(dim=32, image="vit", size_px=PX, patch_px=4, image_layers=1, dropout=0.0, modalities=("image",))


def pictures() -> Pictures:
    """Twelve concepts: the first eleven in two styles, one dark and one light of its colour; the last in one."""
    generator = torch.Generator().manual_seed(0)
    colours = torch.randint(60, 120, (N, 3, 1, 1), generator=generator).expand(-1, -1, PX, PX)
    values = torch.cat([colours, colours[: N - 1] + 100]).to(torch.uint8)
    own = table(values, [*range(N), *range(N - 1)], N)
    return Pictures(tuple(f"c{i}" for i in range(N)), ("a", "b"), own, torch.arange(N) % 2)


def test_two_views_are_of_one_picture_or_of_two_styles() -> None:
    for styles in (False, True):
        views = ViewSource(pictures(), 6, 0, styles=styles).draw()
        assert views.one.shape == views.other.shape == (6, 3, PX, PX) and len(set(views.ids)) == 6
        assert not torch.equal(views.one, views.other)
        light = [float(v.mean((1, 2, 3)).mean()) for v in (views.one, views.other)]
        assert all(0 < value < 1 for value in light)
    source, again = ViewSource(pictures(), 6, 1), ViewSource(pictures(), 6, 2)
    source.draw()
    again.restore(source.state())
    assert torch.equal(source.draw().one, again.draw().one)


def test_a_second_style_is_another_picture_where_there_is_one() -> None:
    made = pictures()
    chosen = torch.arange(N)
    rows = made.table.rows[:, 0]
    place = (made.table.rows[chosen] == rows[:, None]).int().argmax(1)
    others = made.table.rows[chosen, (place + 1) % made.table.counts[chosen]]
    assert (others[:-1] == torch.arange(N, 2 * N - 1)).all() and others[-1] == N - 1


def test_momentum_contrast_starts_at_the_logarithm_of_its_queue_and_moves_one_net_only() -> None:
    torch.manual_seed(0)
    net, views = Momentum(Aligned(CNN), keys=64, dim=32), ViewSource(pictures(), 8, 0).draw()
    before = {name: value.clone() for name, value in net.slow.state_dict().items()}
    loss = moco_loss(net, views, version=2, temperature=1e6, momentum=0.5)["contrast"]
    assert float(loss.detach()) == pytest.approx(math.log(65), abs=1e-3)
    assert int(net.queue.place) == len(views.ids)
    loss = moco_loss(net, views, version=2, temperature=0.2, momentum=0.5)["contrast"]
    loss.backward()
    assert all(p.grad is None for p in net.slow.parameters())
    assert all(p.grad is not None for p in [*net.net.towers.parameters(), *net.project.parameters()])
    with torch.no_grad():
        for p in net.net.towers.parameters():
            p.add_(1.0)
    net.follow(0.5)
    moved = net.slow.state_dict()
    assert any(not torch.equal(moved[name], before[name]) for name in before)
    both = moco_loss(net, views, version=3, temperature=0.2, momentum=0.9)["contrast"]
    assert bool(both.isfinite())
    assert net.model() is net.net


def test_a_transformer_that_sees_all_patches_sees_the_picture() -> None:
    torch.manual_seed(0)
    tokens, picture = PatchTokens(16, size_px=PX, patch_px=4, layers=2), torch.rand(2, 3, PX, PX)
    everything = torch.arange(16).expand(2, -1)
    torch.testing.assert_close(tokens.visible(picture, everything), tokens(picture))
    some = torch.tensor([[1, 5], [0, 3]])
    seen = tokens.visible(picture, some)
    hidden = picture.clone()
    hidden[0, :, 12:] = 0.0  # patches 12 … 15, which the first did not look at
    torch.testing.assert_close(tokens.visible(hidden, some), seen)


def test_a_masked_autoencoder_that_says_nothing_costs_what_the_formula_says() -> None:
    torch.manual_seed(0)
    net = MaskedAutoencoder(Aligned(VIT), dim=16, layers=1)
    views = Views(("a", "b"), torch.rand(2, 3, PX, PX), torch.rand(2, 3, PX, PX), torch.arange(2))
    with torch.no_grad():
        net.out[1].weight.zero_()
        net.out[1].bias.zero_()
    size = patches(views.one, 4).shape[2]
    assert float(mae_loss(net, views)["pixels"].detach()) == pytest.approx((size - 1) / size, abs=1e-3)
    fresh = MaskedAutoencoder(Aligned(VIT), dim=16, layers=1)
    mae_loss(fresh, views)["pixels"].backward()
    unmoved = {name for name, p in fresh.named_parameters() if p.grad is None}
    # The vector of the whole picture and the scales of cosines are no part of the loss.
    assert unmoved == {
        "net.log_scale",
        "net.log_class_scale",
        "net.towers.image.project.weight",
        "net.towers.image.project.bias",
    }


def test_an_episode_of_equal_vectors_costs_the_logarithm_of_its_ways() -> None:
    torch.manual_seed(0)
    net, views = Aligned(CNN), ViewSource(pictures(), 8, 0, styles=True).draw()
    with torch.no_grad():
        net.log_scale.fill_(-20.0)
    assert float(episode_loss(net, views)["episode"].detach()) == pytest.approx(math.log(8), abs=1e-4)
    made = pictures()
    assert 0 <= across_styles(net, made) <= 1
    assert neighbours_category(net, made, made) == 1.0  # each is its own nearest


def some_digits() -> Digits:
    return Digits(tuple("abcdef"), torch.rand(6, 3, PX, PX), torch.tensor([0, 1, 2, 3, 4, 9]))


def tasks() -> Tasks:
    torch.manual_seed(0)
    sizes = FusedSettings(
        tuple("0123456789"), fusion="average", dim=16, image_widths=(16, 16), dropout=0.0, modalities=("image",)
    )
    return Tasks(Fused(sizes))


def test_several_tasks_start_where_each_would_alone() -> None:
    net = tasks()
    with torch.no_grad():
        for head in (net.net.head, net.odd, net.size):
            head.weight.zero_()
            head.bias.zero_()
    losses = tasks_losses(net, some_digits())
    assert float(losses["digit"].detach()) == pytest.approx(math.log(10))
    assert float(losses["odd"].detach()) == pytest.approx(math.log(2))
    assert float(losses["size"].detach()) == pytest.approx(float((some_digits().labels / 9).square().mean()))
    figures = validate_tasks(net.eval(), some_digits())
    assert figures["digit"] == pytest.approx(1 / 6) and figures["size_error"] == pytest.approx(19 / 6)
    drawn = DigitSource(some_digits(), 4, 0).draw()
    assert len(drawn.ids) == 4 and float(drawn.pictures.min()) >= 0


@pytest.mark.parametrize("balance", BALANCES)
def test_every_balance_trains_the_recipe_and_the_digits_net_is_kept(balance: str, tmp_path) -> None:
    model = load_native(train(digits(steps=3, batch_size=16, balance=balance), out=tmp_path))
    assert model.modalities == {"image"} and model.classes == tuple("0123456789")
    grey = Sample("g", {"image": Image(np.full((8, 8, 3), 99, dtype=np.uint8), "grey")})
    assert model.score([grey], model.classes).shape == (1, 10)


def test_a_student_hears_the_teacher_of_all_and_the_truth_of_some() -> None:
    made, taught = pictures(), torch.randn(N, 2).log_softmax(1)
    labels = torch.where(torch.arange(N) < 3, made.categories, -1)
    drawn = TaughtSource(ViewSource(made, N, 0), taught, labels).draw()
    assert len(drawn.ids) == 2 * N and int((drawn.labels >= 0).sum()) == 6
    torch.manual_seed(0)
    net = Fused(FusedSettings(("a", "b"), dim=16, image_widths=(16, 16), dropout=0.0, modalities=("image",)))
    assert set(taught_losses(net, drawn, temperature=2.0, soft=0.0)) == {"told"}
    untold = Taught(drawn.ids, drawn.pictures, drawn.taught, torch.full_like(drawn.labels, -1))
    losses = taught_losses(net, untold, temperature=2.0, soft=0.9)
    assert float(losses["told"].detach()) == 0.0 and float(losses["taught"].detach()) > 0
    agreed = Taught(drawn.ids, drawn.pictures, net(drawn.batch).detach(), drawn.labels)
    assert float(taught_losses(net, agreed, temperature=2.0, soft=0.9)["taught"].detach()) == pytest.approx(0, abs=1e-6)


def test_frames_of_a_film_are_changed_alike_and_some_run_backwards() -> None:
    still = torch.randint(0, 255, (6, 1, 3, PX, PX), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    drawn = FilmSource(Films(tuple("abcdef"), still.expand(-1, 4, -1, -1, -1), torch.arange(6)), 6, 0).draw()
    for i in range(1, 4):
        torch.testing.assert_close(drawn.values[:, i], drawn.values[:, 0])
    ramp = torch.linspace(0, 200, 4).to(torch.uint8)[None, :, None, None, None].expand(6, -1, 3, PX, PX)
    light = FilmSource(Films(tuple("abcdef"), ramp, torch.arange(6)), 6, 0).draw().values.mean((2, 3, 4))
    rising = light[:, -1] > light[:, 0]
    assert bool(rising.any()) and not bool(rising.all())


def test_films_are_read_by_frames_from_equal_stretches_of_time() -> None:
    frames = np.stack([np.full((20, 30, 3), 10 * i, dtype=np.uint8) for i in range(12)])

    class Film:
        modality, source = "video", "memory"

        def load(self) -> np.ndarray:
            return frames

    processor = Processor(size_px=PX, frames=4)
    film = processor.film(Film())
    assert film.shape == (4, 3, PX, PX) and film[:, 0, PX // 2, PX // 2].tolist() == [10, 40, 70, 100]
    assert processor.values("video", [Film(), Film()]).shape == (2, 4, 3, PX, PX)
    assert issubclass(Video, object)


def test_a_net_of_films_answers_and_knows_no_other_modality() -> None:
    torch.manual_seed(0)
    net = Fused(
        FusedSettings(("a", "b"), dim=16, image_widths=(8, 16), modalities=("video", "text"), frames=4, buckets=32)
    ).eval()
    films = torch.rand(3, 4, 3, PX, PX)
    given = Batch(
        tuple("abc"),
        {
            "video": Part(torch.tensor([0, 2]), films[[0, 2]]),
            "text": Part(torch.tensor([1]), torch.ones(1, 2, 14).long()),
        },
    )
    together = net(given)
    alone = net(Batch(("c",), {"video": Part(torch.tensor([0]), films[2:])}))
    torch.testing.assert_close(alone[0], together[2], atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="takes video, text, got image"):
        net(Batch(("a",), {"image": Part(torch.tensor([0]), films[:1, 0])}))
    with pytest.raises(ValueError, match="no encoder for the modality 'smell'"):
        Fused(FusedSettings(("a",), modalities=("smell",)))
