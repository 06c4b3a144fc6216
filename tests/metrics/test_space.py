"""Gap, alignment, uniformity, effective rank, hubs, RSA: golden values, known cases, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics
from assay.metrics import space
from assay.metrics.dissimilarity import dissimilarities


@pytest.fixture(scope="module")
def golden():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6))
    return x, x @ rng.standard_normal((6, 4)) + 0.5 * rng.standard_normal((200, 4))


def test_golden_space(golden):
    x, y = golden[0][:, :4], golden[1]
    assert metrics.modality_gap(x, y)["modality_gap"].value == pytest.approx(0.19607732, abs=5e-9)
    assert metrics.alignment(x, y).value == pytest.approx(2.68933921, abs=5e-9)
    assert metrics.uniformity(x).value == pytest.approx(-2.39501103, abs=5e-9)
    assert metrics.uniformity(y).value == pytest.approx(-2.13759834, abs=5e-9)


def test_golden_rsa(golden):
    for distance, expected in (("sqeuclidean", 0.64217879), ("correlation", 0.48958895)):
        found = metrics.rsa(*golden, distance=distance, permutations=99, resamples=199)
        assert found["rsa"].value == pytest.approx(expected, abs=5e-9)
        assert found["rsa"].low < expected < found["rsa"].high
        assert found["rsa_p"].value == pytest.approx(1 / 100)


def test_alignment_is_2_less_twice_the_cosine(golden):
    x, y = golden[0][:, :4], golden[1]
    cosine = metrics.modality_gap(x, y)["matched_cosine"]
    assert metrics.alignment(x, y).value == pytest.approx(2 - 2 * cosine.value, abs=1e-12)
    assert metrics.alignment(x, 3 * x).value == pytest.approx(0, abs=1e-12)
    assert metrics.alignment(x, -x, alpha=1).value == pytest.approx(2, abs=1e-12)


def test_what_stands_beside_the_gap():
    rng = np.random.default_rng(1)
    away = np.array([4.0, 0, 0, 0, 0])
    x, y = rng.standard_normal((300, 5)) + away, rng.standard_normal((300, 5)) - away
    found = metrics.modality_gap(x, y)
    assert found["separability"].value > 0.999
    u, v = (side / np.linalg.norm(side, axis=1)[:, None] for side in (x, y))
    crossed, within = u @ v.T, u @ u.T
    off = ~np.eye(300, dtype=bool)
    assert found["shuffled_cosine"].value == pytest.approx(crossed[off].mean(), abs=1e-12)
    assert found["matched_cosine"].value == pytest.approx(np.diag(crossed).mean(), abs=1e-12)
    assert found["cone_x"].value == pytest.approx(within[off].mean(), abs=1e-12)
    spread = [np.sqrt(np.maximum(2 - 2 * (s @ s.T)[off], 0)).mean() for s in (u, v)]
    expected = found["modality_gap"].value / np.mean(spread)
    assert found["relative_gap"].value == pytest.approx(expected, abs=1e-9)
    alike = metrics.modality_gap(rng.standard_normal((300, 5)), rng.standard_normal((300, 5)))
    assert 0.35 < alike["separability"].value < 0.65


def test_the_gap_closes_halfway():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((200, 6)) + 2, rng.standard_normal((200, 6)) - 1
    moved = [metrics.modality_gap(*metrics.shift_gap(x, y, amount))["modality_gap"].value for amount in (0, 0.25, 0.5)]
    assert moved[0] == pytest.approx(metrics.modality_gap(x, y)["modality_gap"].value, abs=1e-12)
    assert moved[0] > moved[1] > moved[2]


def test_blocks_do_not_matter(golden, monkeypatch):
    x, y = golden[0][:, :4], golden[1]
    before = (
        metrics.uniformity(x).value,
        metrics.modality_gap(x, y)["relative_gap"].value,
        metrics.hubness(x)["hubness"].value,
    )
    monkeypatch.setattr(space, "BLOCK_BYTES", 8 * 200 * 7)
    after = (
        metrics.uniformity(x).value,
        metrics.modality_gap(x, y)["relative_gap"].value,
        metrics.hubness(x)["hubness"].value,
    )
    assert after == pytest.approx(before, abs=1e-12)


def test_uniformity_of_an_even_sphere_nears_its_limit():
    x = np.random.default_rng(3).standard_normal((400, 512))
    assert metrics.uniformity(x).value == pytest.approx(-4, abs=0.05)


def test_effective_rank():
    rng = np.random.default_rng(4)
    assert metrics.effective_rank(np.vstack([np.eye(5), -np.eye(5)])).value == pytest.approx(5, abs=1e-9)
    line = rng.standard_normal((50, 1)) @ rng.standard_normal((1, 8))
    assert metrics.effective_rank(line).value == pytest.approx(1, abs=1e-9)
    assert math.isnan(metrics.effective_rank(np.ones((5, 3))).value)


def test_hubs():
    rng = np.random.default_rng(5)
    gallery = rng.standard_normal((60, 300))
    queries = rng.standard_normal((500, 300))
    plain = metrics.hubness(queries, gallery, k=5)
    assert plain["hubness"].items.sum() == 500 * 5
    hub = gallery.copy()
    hub[7] = queries.mean(axis=0)
    found = metrics.hubness(queries, hub, k=5)
    assert found["hubness"].value > plain["hubness"].value + 1
    assert found["hubness"].items.argmax() == 7
    assert found["hubness_max"].value == found["hubness"].items.max() / 500
    ring = [[math.cos(a), math.sin(a)] for a in np.linspace(0, 2 * math.pi, 12, endpoint=False)]
    even = metrics.hubness(ring, k=2)
    assert even["hubness"].value == pytest.approx(0)
    assert even["antihubs"].value == 0.0


def test_kendall_by_hand():
    x = np.array([[0.0], [1.0], [3.0], [7.0], [8.0]])
    y = np.array([[0.0], [2.0], [3.0], [4.0], [9.0]])
    found = metrics.rsa(x, y, distance="sqeuclidean", compare="kendall", permutations=0)["rsa"]
    a, b = (dissimilarities("x", side, "sqeuclidean")[np.triu_indices(5, 1)] for side in (x, y))
    one, two = np.triu_indices(10, 1)
    expected = (np.sign(a[one] - a[two]) * np.sign(b[one] - b[two])).mean()
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert math.isnan(found.low)


def test_items_and_not_pairs_are_shuffled_and_resampled():
    rng = np.random.default_rng(6)
    ps = [
        metrics.rsa(rng.standard_normal((12, 3)), rng.standard_normal((12, 3)), permutations=99, resamples=0)[
            "rsa_p"
        ].value
        for _ in range(120)
    ]
    assert 0.01 <= np.mean(np.array(ps) <= 0.05) <= 0.1
    found = metrics.rsa(rng.standard_normal((400, 2)), rng.standard_normal((400, 2)))
    assert set(found) == {"rsa", "rsa_p"}
    assert math.isnan(found["rsa"].low)  # too many pairs to resample without being asked


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: metrics.modality_gap(x, x[:, :2]), "of one space"),
        (lambda x: metrics.modality_gap(x[:9], x[:9]), "at least 10 pairs"),
        (lambda x: metrics.modality_gap(0 * x, x), "x: row 0 has length 0"),
        (lambda x: metrics.alignment(x, x[:5]), "40 and 5 rows"),
        (lambda x: metrics.alignment(x, x, alpha=0), "positive alpha"),
        (lambda x: metrics.uniformity(x[:1]), "at least 2"),
        (lambda x: metrics.uniformity(x, t=-1), "positive t"),
        (lambda x: metrics.effective_rank(x[:1]), "at least 2"),
        (lambda x: metrics.hubness(x, k=40), "from 1 to 39"),
        (lambda x: metrics.hubness(x, x[:, :2]), "of one width"),
        (lambda x: metrics.rsa(x, x, distance="cosine"), "correlation, sqeuclidean"),
        (lambda x: metrics.rsa(x, x, compare="pearson"), "spearman or kendall"),
        (lambda x: metrics.rsa(x[:3], x[:3]), "at least 4 pairs"),
        (lambda x: metrics.rsa(np.ones((40, 3)), x), "x: row 0 is constant"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0).standard_normal((40, 3)))


@pytest.mark.parametrize(
    "name", ["effective_rank", "relative_gap", "separability", "hubness", "hubness_max", "antihubs"]
)
def test_intervals_of_what_is_no_mean_hold_the_figure_of_many(name):
    """Of 60 data sets of 150 rows, how many intervals hold what such sets give on average (how many are hubs depends on n)."""
    rng = np.random.default_rng(0)
    mix, gallery = rng.standard_normal((4, 4)), rng.standard_normal((40, 4))

    def figure_of(n):
        x, y = (rng.standard_normal((n, 4)) @ mix + shift for shift in (0.0, 0.6))
        if name in ("relative_gap", "separability"):
            return metrics.modality_gap(x, y)[name]
        if name == "effective_rank":
            return metrics.effective_rank(x)
        return metrics.hubness(x, gallery, k=3)[name]

    found = [figure_of(150) for _ in range(60)]
    truth = np.mean([one.value for one in found])
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.85
    assert all(one.low < one.value < one.high for one in found)


def test_the_jackknife_of_parts_leaves_each_part_out():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 40, 3)) + np.array([[[1.0]], [[-1.0]]])
    found = metrics.modality_gap(x, y)["relative_gap"]
    part = np.arange(40) % 30
    left_out = np.array(
        [metrics.modality_gap(x[part != one], y[part != one])["relative_gap"].value for one in range(30)]
    )
    se = math.sqrt(29 / 30 * ((left_out - left_out.mean()) ** 2).sum())
    assert (found.high - found.low) / 2 == pytest.approx(2.0452296 * se, rel=1e-6)
