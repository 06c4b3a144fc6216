"""Every objective: its value at the start (an identity), its equal in plain formulas, its gradients, its refusals."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.losses import contrastive, correlate, distill, masked, matching, momentum, regress


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def units(n: int, d: int, seed: int) -> Tensor:
    return F.normalize(torch.randn(n, d, generator=generator(seed)), dim=1)


@pytest.mark.parametrize("n,chunk", [(7, 3), (8, 4), (5, 100), (1, 1)])
def test_chunks_change_neither_value_nor_gradients(n: int, chunk: int) -> None:
    gradients = []
    for loss in (contrastive.info_nce, lambda *x: contrastive.chunked_info_nce(*x, chunk=chunk)):
        a, b = units(n, 16, 1).requires_grad_(), units(n, 16, 2).requires_grad_()
        log_scale = torch.tensor(2.0, requires_grad=True)
        value = loss(a, b, log_scale.exp())
        (3 * value).backward()
        gradients.append([value.detach(), a.grad, b.grad, log_scale.grad])
    for naive, chunked in zip(*gradients, strict=True):
        torch.testing.assert_close(chunked, naive, atol=1e-5, rtol=1e-5)


def test_chunks_take_pairs_only() -> None:
    with pytest.raises(ValueError, match="pairs"):
        contrastive.chunked_info_nce(units(3, 4, 0), units(4, 4, 0), 1.0)


@pytest.mark.parametrize("n,start", [(64, 10.0029), (256, 10.0116), (512, 10.0232)])
def test_siglip_starts_where_the_paper_says(n: int, start: float) -> None:
    vectors = torch.eye(2 * n)
    loss = contrastive.sigmoid_contrast(vectors[:n], vectors[n:], 10.0, -10.0)
    assert float(loss) == pytest.approx(start, abs=1e-4)
    assert float(loss) == pytest.approx(math.log1p(math.exp(10)) + (n - 1) * math.log1p(math.exp(-10)), rel=1e-5)


def test_anchored_contrast_is_info_nce_where_both_are_there() -> None:
    vectors = {name: units(6, 8, i) for i, name in enumerate(("image", "audio", "text"))}
    present = {"image": torch.ones(6, dtype=torch.bool), "audio": torch.arange(6) < 3, "text": torch.arange(6) < 1}
    found = contrastive.anchored_contrast(vectors, present, 5.0)
    assert list(found) == ["image-audio"]  # a lone pair has nothing to be told from
    torch.testing.assert_close(
        found["image-audio"], contrastive.info_nce(vectors["image"][:3], vectors["audio"][:3], 5.0)
    )
    with pytest.raises(ValueError, match="anchor 'video'"):
        contrastive.anchored_contrast(vectors, present, 5.0, anchor="video")


def test_moco_starts_at_the_logarithm_of_its_queue() -> None:
    wide = 4096
    loss = momentum.queued(units(32, wide, 1), units(32, wide, 2), units(1023, wide, 3), temperature=0.2)
    assert float(loss) == pytest.approx(math.log(1024), abs=0.05)


def test_moco_of_the_batch_carries_twice_its_temperature() -> None:
    query, key = torch.eye(16)[:8], torch.eye(16)[8:]
    assert float(momentum.in_batch(query, key, 0.2)) == pytest.approx(0.4 * math.log(8), rel=1e-6)


def test_keys_get_no_gradient() -> None:
    query, key = units(4, 8, 1).requires_grad_(), units(4, 8, 2).requires_grad_()
    (momentum.queued(query, key, units(8, 8, 3)) + momentum.in_batch(query, key)).backward()
    assert key.grad is None and query.grad is not None


def test_the_slow_net_follows() -> None:
    slow, fast = nn.Linear(2, 2), nn.Linear(2, 2)
    before, ahead = slow.weight.detach().clone(), fast.weight.detach()
    momentum.follow(slow, fast, 0.9)
    torch.testing.assert_close(slow.weight, 0.9 * before + 0.1 * ahead)


def test_the_queue_holds_the_last_keys() -> None:
    queue = momentum.Queue(4, 2, generator())
    for i in range(3):
        queue.push(torch.full((3, 2), float(i)))
    assert sorted(queue.keys[:, 0].tolist()) == [1.0, 2.0, 2.0, 2.0]
    queue.push(torch.arange(10.0)[:, None].repeat(1, 2))
    assert sorted(queue.keys[:, 0].tolist()) == [6.0, 7.0, 8.0, 9.0]
    assert set(queue.state_dict()) == {"keys", "place"}


def test_patches_and_back() -> None:
    pictures = torch.randn(2, 3, 8, 12, generator=generator())
    cut = masked.patches(pictures, 4)
    assert cut.shape == (2, 6, 48)
    torch.testing.assert_close(cut[1, 4].view(4, 4, 3).permute(2, 0, 1), pictures[1, :, 4:8, 4:8])
    torch.testing.assert_close(masked.unpatched(cut, 4, 8, 12), pictures)
    with pytest.raises(ValueError, match="8 x 12 pixels .* patches of 5"):
        masked.patches(pictures, 5)


def test_mae_counts_hidden_patches_only() -> None:
    target, hidden = torch.randn(3, 9, 12, generator=generator()), masked.random_mask(3, 9, 0.75, generator())
    assert hidden.sum(1).tolist() == [7, 7, 7]
    right = torch.where(hidden[..., None], target, 99.0)
    assert float(masked.masked_patches(right, target, hidden, normalised=False)) == 0.0
    zero = masked.masked_patches(torch.zeros_like(target), target, hidden)
    assert float(zero) == pytest.approx(11 / 12, abs=1e-4)
    assert float(masked.masked_patches(target, target, torch.zeros_like(hidden))) == 0.0


def test_simmim_is_the_mean_absolute_error_of_hidden_pixels() -> None:
    pictures, hidden = torch.zeros(1, 3, 4, 4), torch.zeros(1, 4, 4, dtype=torch.bool)
    hidden[0, 0, :2] = True
    predicted = torch.full_like(pictures, 9.0)
    predicted[:, :, 0, :2] = 0.5
    assert float(masked.masked_pixels(predicted, pictures, hidden)) == pytest.approx(0.5, rel=1e-4)


def test_hidden_tokens_are_hidden_as_bert_does() -> None:
    ids = torch.randint(5, 100, (200, 100), generator=generator())
    ids[:, 0] = 1
    corrupted, chosen = masked.hide_tokens(ids, mask_id=4, vocabulary=100, generator=generator(1), special=5)
    assert not bool(chosen[:, 0].any())
    assert float(chosen[:, 1:].float().mean()) == pytest.approx(0.15, abs=0.01)
    assert float((corrupted[chosen] == 4).float().mean()) == pytest.approx(0.8, abs=0.02)
    assert float((corrupted[chosen] == ids[chosen]).float().mean()) == pytest.approx(0.1, abs=0.02)
    assert torch.equal(corrupted[~chosen], ids[~chosen]) and int(corrupted.min()) >= 1
    start = masked.masked_tokens(torch.zeros(200, 100, 100), ids, chosen)
    assert float(start) == pytest.approx(math.log(100), rel=1e-6)
    assert float(masked.masked_tokens(torch.zeros(200, 100, 100), ids, torch.zeros_like(chosen))) == 0.0


def test_hard_negatives_are_wrong_and_hard() -> None:
    similarity = torch.zeros(4, 4)
    similarity[0, 2] = similarity[3, 1] = 30.0
    rows, columns = matching.hard_negatives(similarity, generator())
    assert rows[0] == 2 and columns[1] == 3
    same = torch.zeros(4, 4, dtype=torch.bool)
    same[0, 2] = same[2, 0] = True
    rows, _ = matching.hard_negatives(similarity, generator(), same)
    assert rows[0] in (1, 3)
    with pytest.raises(ValueError, match="batch of 1"):
        matching.hard_negatives(torch.zeros(1, 1), generator())


def test_matching_starts_at_ln_2() -> None:
    assert float(matching.match(torch.zeros(8, 2), torch.zeros(16, 2))) == pytest.approx(math.log(2), rel=1e-6)


def test_distilling_divides_by_the_batch() -> None:
    student, teacher = torch.randn(2, 6, 9, generator=generator()).unbind(0)
    p, q = (teacher / 4).softmax(1), (student / 4).softmax(1)
    expected = 16 * (p * (p / q).log()).sum() / 6
    assert float(distill.soften(student, teacher)) == pytest.approx(float(expected), rel=1e-5)
    labels = torch.arange(6)
    both = 0.1 * F.cross_entropy(student, labels) + 0.9 * expected
    assert float(distill.distil(student, teacher, labels)) == pytest.approx(float(both), rel=1e-5)


def test_relations_ignore_place_size_and_turning() -> None:
    x = torch.randn(6, 4, generator=generator())
    turn = torch.linalg.qr(torch.randn(4, 4, generator=generator(1))).Q
    assert float(distill.relate(x, 3 * (x @ turn) + 7)) == pytest.approx(0, abs=1e-5)
    student = torch.randn(6, 3, generator=generator(2)).requires_grad_()
    distill.relate(student, x).backward()
    assert bool(torch.isfinite(student.grad).all()) and float(student.grad.abs().max()) > 0
    with pytest.raises(ValueError, match=r"\(6, 3\) and \(6, 4\)"):
        distill.imitate(student, x)


def test_unknown_numbers_do_not_count() -> None:
    predicted = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    loss = regress.regress(predicted, torch.tensor([0.0, math.nan, 3.0]))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.5) and predicted.grad.tolist() == [1.0, 0.0, 0.0]
    assert float(regress.regress(torch.tensor([4.0]), torch.tensor([0.0]), delta=1.0)) == pytest.approx(3.5)


def test_boxes() -> None:
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0]])
    b = torch.tensor([[1.0, 0.0, 3.0, 2.0], [0.0, 0.0, 1.0, 1.0]])
    assert regress.generalised_iou(a, b).tolist() == pytest.approx([1 / 3, 1.0])
    assert float(regress.locate(b, b)) == pytest.approx(0)
    assert float(regress.locate(a[:1], b[:1])) == pytest.approx(5 * 2 + 2 * (2 / 3))


def test_focal_loss_without_focus_is_half_the_cross_entropy() -> None:
    logits, targets = torch.randn(4, 3, generator=generator()), torch.tensor([[1, 0, 0]] * 4)
    plain = F.binary_cross_entropy_with_logits(logits, targets.float(), reduction="sum") / 4
    assert float(regress.focal(logits, targets, alpha=0.5, gamma=0.0)) == pytest.approx(float(plain) / 2, rel=1e-5)


def test_deep_cca_finds_what_is_shared() -> None:
    x = torch.randn(500, 4, generator=generator())
    noise = torch.randn(500, 4, generator=generator(1))
    assert float(correlate.decorrelate(x, noise)) > -0.5
    half = torch.cat([x[:, :2] @ torch.randn(2, 2, generator=generator(2)), noise[:, :2]], 1)
    assert float(correlate.decorrelate(x, half, ridge=0)) == pytest.approx(-2, abs=0.2)
    student = noise.clone().requires_grad_()
    correlate.decorrelate(x, student).backward()
    assert bool(torch.isfinite(student.grad).all())
    with pytest.raises(ValueError, match="more than their sum"):
        correlate.decorrelate(x[:8], noise[:8])
