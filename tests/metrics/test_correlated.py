"""CCA, SVCCA, PWCCA: golden values, held-out honesty, rank-deficient and few rows, what is refused."""

import math

import numpy as np
import pytest

from assay import metrics
from assay.metrics import canonical


@pytest.fixture(scope="module")
def golden():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6))
    return x, x @ rng.standard_normal((6, 4)) + 0.5 * rng.standard_normal((200, 4))


def test_golden_in_sample(golden):
    found = metrics.cca(*golden, held_out=False, permutations=0)
    expected = [0.98799568, 0.98161707, 0.96635729, 0.45258104]
    np.testing.assert_allclose(found["cca"].items, expected, atol=5e-9)
    assert found["cca"].value == pytest.approx(0.84713777, abs=5e-9)
    assert found["cca_squared"].value == pytest.approx(0.76959589, abs=5e-9)
    assert found["wilks"].value == pytest.approx(np.prod(1 - found["cca"].items ** 2), rel=1e-9)
    assert found["bartlett_p"].value < 1e-12
    assert "in-sample|n:200|p:6|q:4|ridge:0" in found["cca"].signature


def test_golden_held_out(golden):
    found = metrics.cca(*golden)
    expected = [0.98608627, 0.98018578, 0.9659987, 0.39921503]
    np.testing.assert_allclose(found["cca"].items, expected, atol=5e-9)
    assert found["cca"].low < found["cca"].value < found["cca"].high
    assert found["cca_p"].value == pytest.approx(1 / 201)
    assert found["cca_null"].low < 0.2 < found["cca"].value
    assert "held-out:5-folds" in found["cca"].signature


def test_independent_data_shine_in_sample_and_not_held_out():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((100, 50)), rng.standard_normal((100, 50))
    in_sample = metrics.cca(x, y, held_out=False, overfit=True, permutations=0)
    assert in_sample["cca"].value == pytest.approx(0.638, abs=0.01)
    # 80 rows of 50 + 50 dimensions leave some directions free; which are taken moves the mean by some thousandths.
    assert metrics.cca(x, y, permutations=0)["cca"].value == pytest.approx(-0.0052, abs=0.02)


def test_in_sample_on_few_rows_is_refused_unless_asked_for():
    x = np.random.default_rng(0).standard_normal((59, 6))
    for call in (metrics.cca, metrics.svcca, metrics.pwcca):
        with pytest.raises(ValueError, match="59 pairs of up to 6 dimensions.*60 pairs.*overfit=True"):
            call(x, x, held_out=False)
        call(x, x, held_out=False, overfit=True)


def test_correlations_do_not_change_under_invertible_maps(golden):
    x, y = golden
    rng = np.random.default_rng(1)
    moved = x @ rng.standard_normal((6, 6)) + 1e3, 1e-3 * y @ rng.standard_normal((4, 4)) - 7
    for held_out in (True, False):
        plain = metrics.cca(x, y, held_out=held_out, permutations=0)["cca"].items
        np.testing.assert_allclose(
            metrics.cca(*moved, held_out=held_out, permutations=0)["cca"].items, plain, atol=1e-9
        )


@pytest.mark.parametrize("held_out", [True, False])
def test_columns_that_repeat_add_nothing(golden, held_out):
    x, y = golden
    doubled = np.hstack([x, x[:, :3], np.ones((200, 1))])
    plain = metrics.cca(x, y, held_out=held_out, permutations=0)["cca"]
    found = metrics.cca(doubled, y, held_out=held_out, permutations=0)["cca"]
    np.testing.assert_allclose(found.items, plain.items, atol=1e-9)


def test_badly_conditioned_sides_are_whitened_by_singular_vectors(golden):
    x, y = golden
    stretched = x * np.logspace(0, -6, 6)
    plain = metrics.cca(x, y, permutations=0)["cca"].items
    np.testing.assert_allclose(metrics.cca(stretched, y, permutations=0)["cca"].items, plain, atol=1e-8)
    gram = stretched.T @ stretched
    assert canonical._whitening(gram, canonical.PLAIN) is None


def test_a_ridge_shrinks_and_helps_on_few_rows():
    rng = np.random.default_rng(3)
    shared = rng.standard_normal((60, 2))
    x, y = (np.hstack([shared + 0.5 * rng.standard_normal((60, 2)), rng.standard_normal((60, 30))]) for _ in range(2))
    plain, ridge = (metrics.cca(x, y, ridge=r, permutations=0)["cca"] for r in (0.0, 1.0))
    assert ridge.items[0] > plain.items[0] + 0.1
    in_sample = metrics.cca(x, y, ridge=1.0, held_out=False, overfit=True, permutations=0)
    assert "wilks" not in in_sample
    assert in_sample["cca"].value < metrics.cca(x, y, held_out=False, overfit=True, permutations=0)["cca"].value


def test_ridge_is_its_closed_form(golden):
    x, y = (side - side.mean(axis=0) for side in golden)
    a, b = (s.T @ s + 0.1 * np.trace(s.T @ s) / s.shape[1] * np.eye(s.shape[1]) for s in (x, y))
    squared = np.linalg.eigvals(np.linalg.solve(a, x.T @ y) @ np.linalg.solve(b, y.T @ x)).real
    expected = np.sort(np.sqrt(np.maximum(squared, 0)))[::-1][:4]
    found = metrics.cca(x, y, ridge=0.1, held_out=False, permutations=0)["cca"].items
    np.testing.assert_allclose(found, expected, atol=1e-9)
    orthogonal = [canonical._orthogonal(side, canonical.How(ridge=0.1))[0] for side in (x, y)]
    np.testing.assert_allclose(np.linalg.svd(orthogonal[0].T @ orthogonal[1], compute_uv=False), expected, atol=1e-9)


def test_svcca_keeps_what_varies():
    rng = np.random.default_rng(4)
    shared = rng.standard_normal((400, 2))
    x = np.hstack([10 * shared, 0.01 * rng.standard_normal((400, 3))])
    y = np.hstack([10 * shared @ rng.standard_normal((2, 2)), 0.01 * rng.standard_normal((400, 3))])
    found = metrics.svcca(x, y)
    assert len(found.items) == 2
    assert found.value > 0.999
    assert metrics.cca(x, y, permutations=0)["cca"].value < 0.7
    assert metrics.svcca(x, y, variance=1.0, held_out=False).value == pytest.approx(
        metrics.cca(x, y, held_out=False, permutations=0)["cca"].value, abs=1e-9
    )


def test_pwcca_weighs_by_what_takes_part(golden):
    x, y = (side - side.mean(axis=0) for side in golden)
    found = canonical.fit(canonical.sums_of(x, y), x, y)
    weights = np.abs((y @ found.b).T @ y).sum(axis=1)  # y has fewer dimensions
    expected = float(weights @ found.correlations / weights.sum())
    assert metrics.pwcca(x, y, held_out=False).value == pytest.approx(expected, abs=1e-9)
    assert "weights:y" in metrics.pwcca(x, y).signature
    square = x[:, :4]
    assert metrics.pwcca(square, y).value != pytest.approx(metrics.pwcca(y, square).value, abs=1e-6)


def test_means_and_offsets_do_not_matter_to_pwcca(golden):
    x, y = golden
    assert metrics.pwcca(x + 100, y - 5).value == pytest.approx(metrics.pwcca(x, y).value, abs=1e-9)


def test_a_null_is_only_drawn_unasked_where_it_is_cheap():
    rng = np.random.default_rng(5)
    small = metrics.cca(rng.standard_normal((40, 2)), rng.standard_normal((40, 2)))
    assert {"cca", "cca_squared", "cca_null", "cca_p"} == set(small)
    assert small["cca_p"].value > 0.01
    large = metrics.cca(rng.standard_normal((2000, 300)), rng.standard_normal((2000, 200)))
    assert set(large) == {"cca", "cca_squared"}
    assert "null:0" in large["cca"].signature


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: metrics.cca(x, x[:-1]), "a row of x for a row of y: 50 and 49 rows"),
        (lambda x: metrics.cca(x[:14], x[:14]), "at least 15 pairs"),
        (lambda x: metrics.cca(x, x, n_folds=1), "at least two folds"),
        (lambda x: metrics.cca(x, x, ridge=-1), "a ridge of 0 or more"),
        (lambda x: metrics.cca(np.where(x > 2, np.nan, x), x), "x: row .* holds a value that is not finite"),
        (lambda x: metrics.cca(x[:, 0], x), "embeddings \\[n, d\\]"),
        (lambda x: metrics.svcca(x, x, variance=0), "share of the variance"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0).standard_normal((50, 3)))


def test_what_does_not_vary_has_no_correlation():
    rng = np.random.default_rng(0)
    found = metrics.cca(np.ones((50, 2)), rng.standard_normal((50, 2)), permutations=0)
    assert math.isnan(found["cca"].value)


def test_degrees_of_freedom_are_those_of_the_dimensions_that_vary(golden):
    x, y = golden
    plain = metrics.cca(x, y, held_out=False, permutations=0)
    repeated = metrics.cca(np.hstack([x, x[:, :2] + 1]), y, held_out=False, permutations=0)
    assert "df:24" in plain["bartlett_p"].signature
    assert "df:24" in repeated["bartlett_p"].signature
    assert repeated["wilks"].value == pytest.approx(plain["wilks"].value, rel=1e-6)
