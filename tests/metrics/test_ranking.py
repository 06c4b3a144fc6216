"""Ranks by blocks, and expected values under ties, against going through every order by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import metrics
from assay.metrics import counting
from assay.metrics.ranked import weighted_median
from assay.metrics.ranking import rank, rank_both

NAMES = (
    *("hit@1", "hit@3", "recall@1", "recall@3", "precision@3", "mrr", "map", "map@3", "map_cut@3", "map@r"),
    *("r_precision", "ndcg", "ndcg@3", "mean_rank"),
)


def by_definition(relevant: list[bool]) -> dict[str, float]:
    """The metrics of one strict order, written down as their definitions read."""
    R, places = sum(relevant), [i for i, hit in enumerate(relevant, 1) if hit]
    gains = lambda flags: sum(1 / math.log2(i + 1) for i, hit in enumerate(flags, 1) if hit)  # noqa: E731
    precision = [sum(relevant[:i]) / i for i in places]
    ideal = sorted(relevant, reverse=True)
    return {
        "hit@1": float(any(relevant[:1])),
        "hit@3": float(any(relevant[:3])),
        "recall@1": sum(relevant[:1]) / R,
        "recall@3": sum(relevant[:3]) / R,
        "precision@3": sum(relevant[:3]) / 3,
        "mrr": 1 / places[0],
        "map@3": sum(p for p, i in zip(precision, places, strict=True) if i <= 3) / min(R, 3),
        "map_cut@3": sum(p for p, i in zip(precision, places, strict=True) if i <= 3) / R,
        "map": sum(precision) / R,
        "map@r": sum(p for p, i in zip(precision, places, strict=True) if i <= R) / R,
        "r_precision": sum(relevant[:R]) / R,
        "ndcg": gains(relevant) / gains(ideal),
        "ndcg@3": gains(relevant[:3]) / gains(ideal[:3]),
        "mean_rank": float(places[0]),
    }


def over_all_orders(scores: list[int], positives: set[int]) -> dict[str, float]:
    orders = [
        sorted(range(len(scores)), key=lambda i: (-scores[i], toss[i]))
        for toss in itertools.permutations(range(len(scores)))
    ]
    found = [by_definition([i in positives for i in order]) for order in orders]
    return {name: float(np.mean([one[name] for one in found])) for name in NAMES}


def of_scores(scores, positives, **groups):
    """A ranking by given scores: the gallery is the identity."""
    return rank(np.asarray(scores, float), np.eye(np.shape(scores)[1]), positives, **groups)


def values(found, names=NAMES):
    rows = metrics.measure([metrics.get(name) for name in names], found)
    return {name: rows["rank" if name.endswith("_rank") else name] for name in names}


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 6).flatmap(
        lambda m: st.tuples(
            st.lists(st.integers(0, 2), min_size=m, max_size=m), st.sets(st.integers(0, m - 1), min_size=1)
        )
    )
)
def test_ties_are_worth_what_random_order_gives(case):
    scores, positives = case
    expected = over_all_orders(scores, positives)
    for name, got in values(of_scores([scores], [sorted(positives)])).items():
        assert got[0] == pytest.approx(expected[name], abs=1e-12), name


def test_goldens():
    """Orders a,b,x and x,a,b of relevant a, b, c (science A.9); relevance a, b, c and order x, a, c, b."""
    first = values(of_scores([[3, 2, 0, 1.0], [2, 1, 0, 3.0]], [[0, 1, 2], [0, 1, 2]]))
    assert first["map@r"].tolist() == pytest.approx([2 / 3, 0.38888888888888889])
    second = values(of_scores([[3, 1, 2, 4.0]], [[0, 1, 2]]), ("recall@2", "hit@2"))
    assert second["recall@2"][0] == pytest.approx(1 / 3)
    assert second["hit@2"][0] == 1.0


def test_graded_gains_are_linear_or_what_they_were_made():
    """Relevance {a: 3, b: 2, c: 1}, order x, a, c, b (science A.9; ranx' ndcg and ndcg_burges)."""
    order, positives = [[3, 1, 2, 4.0]], [[0, 1, 2]]
    linear = metrics.retrieval(order, np.eye(4), positives, grades=[[3, 2, 1]])
    assert linear["ndcg"].value == pytest.approx(0.683376, abs=1e-6)
    assert "gain:graded" in linear["ndcg"].signature
    burges = metrics.retrieval(order, np.eye(4), positives, grades=[[7, 3, 1]])
    assert burges["ndcg"].value == pytest.approx(0.660990, abs=1e-6)
    assert burges["map"].value == linear["map"].value


def test_a_positive_of_grade_0_is_none():
    found = of_scores([[3, 1, 2.0]], [[0, 1]], grades=[[0, 1]])
    assert (found.positives.tolist(), found.best.tolist()) == ([1], [3.0])


def test_pessimistic_ties_go_against_the_model():
    scores = np.array([[1.0, 1, 1, 0], [2, 1, 1, 1]])
    found = metrics.retrieval(scores, np.eye(4), [[0], [1, 2]], k=(1, 3), ties="pessimistic")
    assert found["hit@1"].value == 0.0
    assert found["hit@3"].value == 1.0
    assert found["mean_rank"].value == 3.0
    assert "|ties:pessimistic|" in found["mrr"].signature
    with pytest.raises(ValueError, match="expected or pessimistic was expected, not 'best'"):
        metrics.retrieval(scores, np.eye(4), [[0], [1]], ties="best")


def test_a_model_that_scores_all_alike_gets_chance():
    found = values(of_scores(np.zeros((4, 4)), [[0], [1], [2], [3]]))
    assert found["hit@1"].tolist() == [0.25] * 4
    assert found["mean_rank"].tolist() == [2.5] * 4


def test_a_query_without_positives_is_nan_and_not_counted():
    found = values(of_scores([[1, 2.0], [2, 1]], [[], [0]]))
    assert all(np.isnan(column[0]) and not np.isnan(column[1]) for column in found.values())
    answers = metrics.retrieval([[1, 2.0], [2, 1]], np.eye(2), [[], [0]])
    assert answers["hit@1"].value == 1.0
    assert {one.n for one in answers.values()} == {1}


@pytest.mark.parametrize("few", [0, 1000])
def test_blocks_and_both_ways_of_counting_agree_with_a_full_sort(monkeypatch, few):
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 50, (37, 80)).astype(float)
    positives = [rng.choice(80, rng.integers(1, 40), replace=False).tolist() for _ in scores]
    monkeypatch.setattr(counting, "BLOCK_BYTES", 80 * 8 * 5)
    monkeypatch.setattr(counting, "COUNT_UP_TO", few)
    found = of_scores(scores, positives)
    for q, targets in enumerate(positives):
        mine = found.query == q
        expected = {((scores[q] > scores[q, t]).sum(), (scores[q] == scores[q, t]).sum()) for t in targets}
        assert set(zip(found.above[mine], found.tied[mine], strict=True)) == expected
        assert found.inside[mine].sum() == len(targets)
        assert found.before[mine].tolist() == [0, *np.cumsum(found.inside[mine])[:-1]]


def test_equal_candidates_tie_whatever_the_product_rounds_to():
    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((101, 33)).astype(np.float32)
    gallery[1::2] = gallery[0:-1:2]
    found = rank(rng.standard_normal((20, 33)).astype(np.float32), gallery, [[2 * i] for i in range(20)])
    assert (found.tied == 2).all()


def exact(q, g, positives):
    """Ranks by a full product in double precision."""
    scores = q.astype(float) @ g.astype(float).T
    return [(scores[i] > max(scores[i, found])).sum() + 1.0 for i, found in enumerate(positives)]


@pytest.mark.parametrize("noise", [1e-7, 1e-3, 1.0])
def test_single_precision_is_ranked_as_double_would(noise, monkeypatch):
    rng = np.random.default_rng(5)
    common = rng.standard_normal(96)
    q, g = ((common + noise * rng.standard_normal((n, 96))).astype(np.float32) for n in (40, 300))
    positives = [[i, i + 1] for i in range(40)]
    monkeypatch.setattr(counting, "BLOCK_BYTES", 300 * 4 * 16)
    there, back = rank_both(q, g, positives)
    assert there.best.tolist() == exact(q, g, positives)
    inverse = [[i for i in (j - 1, j) if 0 <= i < 40] for j in range(41)]
    assert back.best[:41].tolist() == exact(g[:41], q, inverse)
    assert np.isnan(back.best[41:]).all()


def test_both_directions_are_each_direction():
    rng = np.random.default_rng(8)
    for kind in (np.float32, np.float64):
        a, b = rng.integers(-2, 3, (30, 5)).astype(kind), rng.integers(-2, 3, (70, 5)).astype(kind)
        pairs = [rng.choice(70, rng.integers(0, 6), replace=False).tolist() for _ in a]
        inverse = [[i for i, found in enumerate(pairs) if j in found] for j in range(70)]
        groups = rng.integers(0, 3, 30), rng.integers(0, 3, 70)
        for group_a, group_b in ((None, None), groups):
            both = rank_both(a, b, pairs, a_group=group_a, b_group=group_b)
            alone = (
                rank(a, b, pairs, query_group=group_a, gallery_group=group_b),
                rank(b, a, inverse, query_group=group_b, gallery_group=group_a),
            )
            for found, expected in zip(both, alone, strict=True):
                for name in ("positives", "candidates", "query", "above", "tied", "inside", "before"):
                    np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("scale", [1e-30, 1e30, 1e200])
def test_embeddings_of_any_size(scale):
    rng = np.random.default_rng(2)
    q, g = rng.standard_normal((9, 6)), rng.standard_normal((20, 6))
    expected = rank(q, g, [[i] for i in range(9)])
    kind = np.float32 if scale < 1e38 else np.float64
    found = rank((q * scale).astype(kind), (g * scale).astype(kind), [[i] for i in range(9)])
    assert found.best.tolist() == expected.best.tolist()


def test_rsum_directions_and_folds():
    rng = np.random.default_rng(4)
    pictures = rng.standard_normal((20, 8))
    texts = np.repeat(pictures, 5, axis=0) + rng.standard_normal((100, 8))
    pairs = [list(range(5 * i, 5 * i + 5)) for i in range(20)]
    whole = metrics.retrieval_both(pictures, texts, pairs)
    ways = [whole["image->text"], whole["text->image"]]
    alone = metrics.retrieval(texts, pictures, [[j // 5] for j in range(100)])
    assert ways[1]["map"].value == alone["map"].value
    rsum = whole["both"]["rsum"]
    assert rsum.value == pytest.approx(sum(way[f"hit@{k}"].value for way in ways for k in (1, 5, 10)))
    assert (rsum.n, rsum.unit, ways[1]["hit@1"].n) == (20, "image", 20)
    cut = metrics.retrieval_both(pictures, texts, pairs, folds=5)
    parts = [
        metrics.retrieval_both(pictures[4 * f : 4 * f + 4], texts[20 * f : 20 * f + 20], pairs[:4]) for f in range(5)
    ]
    for way in ("image->text", "text->image"):
        for name in ("hit@1", "mrr", "map@r"):
            assert cut[way][name].value == pytest.approx(np.mean([part[way][name].value for part in parts]))
    assert "|gallery:4|folds:5|" in cut["text->image"]["mrr"].signature
    with pytest.raises(ValueError, match="folds that divide the 20 rows"):
        metrics.retrieval_both(pictures, texts, pairs, folds=3)


def test_groups_rank_among_their_own():
    rng = np.random.default_rng(1)
    q, g = rng.standard_normal((30, 4)), rng.standard_normal((50, 4))
    of_q, of_g = rng.integers(0, 3, 30), rng.integers(0, 3, 50)
    positives = [rng.choice(50, 6, replace=False).tolist() for _ in q]
    found = rank(q, g, positives, query_group=of_q, gallery_group=of_g)
    for group in range(3):
        mine, theirs = np.flatnonzero(of_q == group), np.flatnonzero(of_g == group)
        own = [[int(np.flatnonzero(theirs == t)[0]) for t in positives[i] if of_g[t] == group] for i in mine]
        alone = rank(q[mine], g[theirs], own)
        np.testing.assert_array_equal(found.best[mine], alone.best)
        np.testing.assert_array_equal(found.candidates[mine], alone.candidates)


def test_half_precision_empty_sets_and_indices_twice():
    assert rank(np.eye(2, dtype=np.float16), np.eye(2, dtype=np.float16), [[0, 0], [1]]).positives.tolist() == [1, 1]
    assert len(rank(np.zeros((0, 3)), np.zeros((5, 3)), [])) == 0
    assert len(rank([], [], [])) == 0
    assert np.isnan(rank(np.zeros((2, 3)), np.zeros((0, 3)), [[], []]).best).all()
    assert math.isnan(metrics.retrieval(np.zeros((0, 3)), np.zeros((5, 3)), [])["map"].value)


@pytest.mark.parametrize(
    ("queries", "gallery", "positives", "groups", "message"),
    [
        ([[1.0]], [[1.0]], [], {}, "1 queries, 0 lists"),
        ([[1.0]], [[1.0]], [[1]], {}, "query 0: 1 is no index of a gallery of 1"),
        ([[1.0]], [[1.0]], [[-1]], {}, "-1 is no index"),
        ([[1.0, 2.0]], [[1.0]], [[0]], {}, "one width"),
        ([1.0], [[1.0]], [[0]], {}, "queries as an array"),
        ([[1.0], [math.nan]], [[1.0]], [[0], [0]], {}, "queries: row 1 holds a value that is not finite"),
        ([[1.0]], [[math.inf]], [[0]], {}, "gallery: row 0"),
        ([[1.0]], [[1.0]], [[0]], {"query_group": [0]}, "belong together"),
        ([[1.0]], [[1.0]], [[0]], {"grades": [[]]}, "one grade for each positive"),
        ([[1.0], [1.0]], [[1.0]], [[0], [0]], {"grades": [[1], [-1]]}, "grades of query 1: -1.0"),
        ([[1.0]], [[1.0]], [[0]], {"query_group": [0, 1], "gallery_group": [0]}, "groups of shape"),
    ],
)
def test_what_does_not_fit_is_told_once(queries, gallery, positives, groups, message):
    with pytest.raises(ValueError, match=message):
        rank(queries, gallery, positives, **groups)


@pytest.mark.parametrize("n", [1, 127, 128, 129, 1000])
def test_a_weighted_median_of_many_rows_is_that_of_repeated_rows(n):
    rng = np.random.default_rng(n)
    values = rng.integers(1, 40, n).astype(float)
    weights = rng.poisson(0.8, (20, n)).astype(float)
    weights[0] = 0
    found = weighted_median("x")({"x": values}, weights)
    for one, counts in zip(found, weights.astype(int), strict=True):
        repeated = np.repeat(values, counts)
        assert one == np.median(repeated) if len(repeated) else math.isnan(one)
