"""What looks like predictions and references and is not: refused in words, never scored."""

import math

import numpy as np
import pytest

from assay import metrics
from assay.metrics.metric import PAIRED

BOX = {"boxes": [[0, 0, 5, 5]], "labels": ["c"]}
FOUND = BOX | {"scores": [0.9]}


@pytest.mark.parametrize("name", [name for name in metrics.METRICS if metrics.get(name).family in PAIRED])
@pytest.mark.parametrize("given", [{"1": ["a cat"], "2": ["a dog"]}, {"a cat", "a dog"}, {"1": "a"}.keys()])
def test_dicts_and_sets_are_not_scored_by_their_keys(name, given):
    with pytest.raises(ValueError, match="expected"):
        metrics.score([name], given, given)


def test_dicts_of_captions_are_told_how_to_be_passed():
    captions = {"1": ["a cat"], "2": ["a dog"]}
    for function in (metrics.rouge_l, metrics.cider_d, metrics.bleu_4, metrics.vqa_accuracy):
        with pytest.raises(ValueError, match=r"predictions: .*\[res\[k\]\[0\] for k in gts\]"):
            function(captions, captions)
        with pytest.raises(ValueError, match=r"references: a list, one a row, was expected, not a dict"):
            function(["a cat", "a dog"], captions)


def test_iscrowd_is_crowd():
    crowd = BOX | {"boxes": [[0, 0, 5, 5], [50, 50, 9, 9]], "labels": ["c", "c"]}
    values = [
        metrics.detection([FOUND], [crowd | {name: [0, 1]}], interval=False)["mar_100"].value
        for name in ("crowd", "iscrowd")
    ]
    assert values == [1.0, 1.0]
    assert metrics.detection([FOUND], [crowd], interval=False)["mar_100"].value == 0.5
    with pytest.raises(ValueError, match="crowd and iscrowd are the same"):
        metrics.detection([FOUND], [crowd | {"crowd": [0, 1], "iscrowd": [0, 1]}])


@pytest.mark.parametrize("side", ["predicted", "targets"])
def test_keys_that_mean_nothing_are_told_their_neighbours(side):
    sides = {"predicted": [FOUND, FOUND], "targets": [BOX, BOX]}
    sides[side] = [sides[side][0], sides[side][1] | {"aera": [3.0]}]
    with pytest.raises(ValueError, match=rf"{side}\[1\]: 'aera' is no key that is known: did you mean area\?"):
        metrics.detection(**sides)


def test_the_keys_of_torchvision_are_known():
    target = BOX | {"image_id": 7, "area": [25.0], "iscrowd": [0], "masks": np.zeros((1, 4, 4))}
    assert metrics.detection([FOUND | {"masks": np.zeros((1, 4, 4))}], [target])["map"].value == 1.0


@pytest.mark.parametrize(
    ("predicted", "true"),
    [
        ([1, 2], ["1", "2"]),
        (np.array([1, 2]), np.array(["1", "2"])),
        ([b"a", None], ["a", "b"]),
        (["1", math.nan], [True, False]),
    ],
)
def test_labels_of_kinds_that_never_meet(predicted, true):
    for name in ("accuracy", "macro_f1"):
        with pytest.raises(ValueError, match="none equals any of the other side"):
            metrics.score([name], predicted, true)
    objects = [FOUND | {"labels": [predicted[0]]}], [BOX | {"labels": [true[0]]}]
    with pytest.raises(ValueError, match="none equals any of the other side"):
        metrics.detection(*objects)


@pytest.mark.parametrize(
    ("predicted", "true", "value"),
    [
        ([1.0, True], [1, 0], 0.5),
        (["a", 1.5], [1.5, 1.5], 0.5),
        ([math.nan, None], ["a", "b"], 0.0),
        ([], [], math.nan),
    ],
)
def test_labels_that_could_meet_are_compared(predicted, true, value):
    assert metrics.score(["accuracy"], predicted, true)["accuracy"].value == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize("missing", [None, math.nan, np.float32("nan"), np.float64("nan"), "NA"])
def test_every_way_of_saying_missing_is_counted(missing):
    if missing == "NA":
        missing = pytest.importorskip("pandas").NA
    found = metrics.score(["mae"], [missing, 1.0], [1, 2])["mae"]
    assert (found.value, found.n, found.n_missing) == (1.0, 1, 1)


def test_columns_of_pandas_with_nothing_in_a_row():
    pandas = pytest.importorskip("pandas")
    numbers = metrics.score(["mae"], pandas.Series([1, pandas.NA], dtype="Int64"), pandas.Series([1, 2]))["mae"]
    assert (numbers.value, numbers.n_missing) == (0.0, 1)
    texts = pandas.Series(["a", pandas.NA], dtype="string")
    assert metrics.score(["accuracy"], texts, pandas.Series(["a", "b"]))["unparsed"].value == 0.5
    assert metrics.score(["exact_match"], texts, ["a", "b"])["exact_match"].n_missing == 1
    for column in (pandas.Series(["a", None]), pandas.Series(["a", math.nan], dtype=object)):
        found = metrics.score(["exact_match"], column, ["a", "b"])["exact_match"]
        assert (found.value, found.n_missing) == (1.0, 1)
    with pytest.raises(ValueError, match="the true label of row 1 is missing"):
        metrics.score(["accuracy"], ["a", "b"], texts)


def test_complex_numbers_are_no_embeddings():
    unit = np.eye(4)
    for queries in (unit * 1j, (unit * 1j).tolist()):
        with pytest.raises(ValueError, match=r"queries: (row 0: numbers|real numbers) were expected, not"):
            metrics.retrieval(queries, unit, [[0], [1], [2], [3]])


@pytest.mark.parametrize("size", [2, 4])
def test_a_matrix_of_zeros_and_ones_is_no_list_of_places(size):
    unit, one_hot = np.eye(size), np.eye(size, dtype=int)
    one_hot[-1] = 0
    for positives in (one_hot, one_hot.tolist(), one_hot.astype(bool).tolist()):
        with pytest.raises(ValueError, match="not a matrix of 0 and 1"):
            metrics.retrieval(unit, unit, positives)
    assert metrics.retrieval(unit, unit, [np.flatnonzero(row) for row in one_hot])["hit@1"].value == 1


def test_one_name_is_no_list_of_names():
    with pytest.raises(ValueError, match=r"a list of names was expected, such as \['accuracy'\]"):
        metrics.score("accuracy", ["a"], ["a"])
    with pytest.raises(ValueError, match="names of metrics were expected, not None"):
        metrics.score(["accuracy", None], ["a"], ["a"])


@pytest.mark.parametrize("huge", [10**400, 1e308, math.inf, -(10**400)])
def test_numbers_that_no_square_can_hold(huge):
    for name in ("mae", "mse", "pearson", "r2"):
        with pytest.raises(ValueError, match="row 1: a (finite )?number was expected"):
            metrics.score([name], [1.0, huge], [1, 2])
        with pytest.raises(ValueError, match="row 0: a (finite )?number was expected"):
            metrics.score([name], [1.0, 2.0], [huge, 2])
    assert metrics.score(["r2"], [1e149, 0.0], [1e149, 0.0])["r2"].value == 1


def test_complex_numbers_are_no_numbers():
    for given in ([0.5, 1j], np.array([0.5, 1j])):
        with pytest.raises(ValueError, match="number was expected as prediction"):
            metrics.score(["mae"], given, [1, 2])


def test_tensors_with_gradients_and_of_half_the_bits():
    torch = pytest.importorskip("torch")
    unit = torch.eye(4)
    for queries, gallery in ((unit.clone().requires_grad_(), unit), (unit.bfloat16(), unit.bfloat16())):
        assert metrics.retrieval(queries, gallery, [[0], [1], [2], [3]])["hit@1"].value == 1
        both = metrics.retrieval_both(queries, gallery, [[0], [1], [2], [3]])
        assert both["both"]["rsum"].value == 6
    for scores in (torch.tensor([0.25, 0.75], requires_grad=True), torch.tensor([0.25, 0.75]).bfloat16()):
        assert metrics.auroc(scores, [0, 1]).value == 1
        assert metrics.brier(scores, [0, 1]).value == 0.0625
        assert metrics.score(["mae"], scores, [0, 1])["mae"].value == 0.25
        assert metrics.score(["mae"], list(scores), [0, 1])["mae"].value == 0.25
    box = torch.tensor([[0.0, 0, 5, 5]], requires_grad=True)
    found = {"boxes": box, "labels": torch.tensor([1]), "scores": torch.tensor([0.5]).bfloat16()}
    assert metrics.detection([found], [{"boxes": box, "labels": torch.tensor([1])}])["map"].value == 1


def test_depths_and_bins():
    unit, right = np.eye(4), [[0], [1], [2], [3]]
    assert metrics.retrieval(unit, unit, right, k=5)["hit@5"].value == 1
    assert metrics.retrieval_both(unit, unit, right, k=np.int64(2))["image->text"]["hit@2"].value == 1
    for k in (0, (0,), (-1,), (1.5,), "5", True):
        with pytest.raises(ValueError, match="k: whole numbers of at least 1"):
            metrics.retrieval(unit, unit, right, k=k)
    for bins in (1.5, "ten", True, None):
        with pytest.raises(ValueError, match="bins: a whole number was expected"):
            metrics.ece([0.1, 0.9], [0, 1], bins=bins)
