"""Tensors and series of other libraries are taken as numpy's arrays are."""

import numpy as np
import pytest

from assay import metrics

KINDS = ["torch", "polars"]


def made(kind, values):
    library = pytest.importorskip(kind)
    return library.tensor(values) if kind == "torch" else library.Series(values)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "mae", "spearman"])
def test_one_value_a_row(kind, name):
    predicted, true = [1, 2, 2, 0], [1, 2, 0, 0]
    expected = metrics.score([name], predicted, true)[name]
    found = metrics.score([name], made(kind, predicted), made(kind, true))[name]
    assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
    mixed = metrics.score([name], made(kind, predicted), true)[name]
    assert mixed.value == expected.value


@pytest.mark.parametrize("kind", KINDS)
def test_functions_of_labels_and_scores(kind):
    predicted, true, scores = [1, 0, 1, 0], [1, 0, 0, 0], [0.9, 0.1, 0.6, 0.2]
    assert metrics.f1(made(kind, predicted), made(kind, true)).value == metrics.f1(predicted, true).value
    assert metrics.auroc(made(kind, scores), made(kind, true), positive=1).value == 1.0
    assert metrics.ece(made(kind, scores), made(kind, true)).value == pytest.approx(metrics.ece(scores, true).value)
    assert metrics.confusion_matrix(made(kind, predicted), made(kind, true))[0] == [0, 1]
    assert (
        metrics.cohen_kappa(made(kind, predicted), made(kind, true)).value == metrics.cohen_kappa(predicted, true).value
    )


def test_series_of_texts_and_of_lists_of_texts():
    polars = pytest.importorskip("polars")
    predictions, references = ["a cat", None, "a dog"], [["a cat"], ["b", "c"], ["dog"]]
    found = metrics.score(["rouge_l", "wer"], polars.Series(predictions), polars.Series(references))
    expected = metrics.score(["rouge_l", "wer"], predictions, references)
    for name, one in expected.items():
        assert (found[name].value, found[name].n_missing) == (one.value, 1)


def test_tensors_in_lists_are_what_they_hold():
    """Two tensors that hold the same are different keys of a dict: no silent 0."""
    torch = pytest.importorskip("torch")
    one, two = [torch.tensor(1), torch.tensor(0)], [torch.tensor(1), torch.tensor(1)]
    assert metrics.score(["accuracy"], one, two)["accuracy"].value == 0.5
    assert metrics.score(["accuracy"], one, [1, 1])["accuracy"].value == 0.5
    assert metrics.cohen_kappa(one * 4, two * 4).value == metrics.cohen_kappa([1, 0] * 4, [1, 1] * 4).value
    assert metrics.krippendorff_alpha([one * 4, one * 4]).value == 1
    assert metrics.score(["samples_f1"], [torch.tensor([0, 2])], [torch.tensor([2, 0])])["samples_f1"].value == 1
    assert metrics.f1(one, two, average="micro").value == 0.5
    assert metrics.group_accuracy(torch.tensor([1, 1, 0]), torch.tensor([5, 5, 6]))["group_accuracy"].value == 0.5


def test_tensors_of_several_dimensions():
    torch = pytest.importorskip("torch")
    sets = torch.tensor([[1, 0], [1, 1]]), torch.tensor([[1, 0], [0, 1]])
    assert metrics.score(["samples_f1"], *sets)["samples_f1"].value == pytest.approx((1 + 2 / 3) / 2)
    assert metrics.f1(*sets, average="samples").value == pytest.approx((1 + 2 / 3) / 2)
    x = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    expected = metrics.retrieval(x.numpy(), x.numpy(), np.arange(30)[:, None])
    assert metrics.retrieval(x, x, torch.arange(30)[:, None])["mrr"].value == expected["mrr"].value
    assert metrics.cka(x, x).value == pytest.approx(1)
    boxes = {"boxes": torch.tensor([[0.0, 0, 10, 10]]), "labels": torch.tensor([1])}
    assert metrics.detection([boxes | {"scores": torch.tensor([0.9])}], [boxes])["map"].value == 1
    assert metrics.segmentation(torch.tensor([[[0, 1]]]), torch.tensor([[[0, 1]]]))["miou"].value == 1
