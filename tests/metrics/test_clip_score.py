"""CLIPScore and RefCLIPScore of embeddings and of any function that makes them."""

import numpy as np
import pytest

from assay import metrics

RNG = np.random.default_rng(0)
TEXTS, IMAGES = RNG.standard_normal((30, 8)), RNG.standard_normal((30, 8))
REFERENCES = [RNG.standard_normal((k, 8)) for k in RNG.integers(1, 5, 30)]


def cosine(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def harmonic(a, b):
    return 2 * a * b / (a + b) if a + b else 0.0


def test_the_score_is_the_formula_row_by_row():
    found = metrics.clipscore(TEXTS, IMAGES, model="toy")
    expected = [2.5 * max(cosine(t, v), 0) for t, v in zip(TEXTS, IMAGES, strict=True)]
    np.testing.assert_allclose(found.items, expected)
    assert found.value == pytest.approx(np.mean(expected))
    assert 0 in found.items
    assert found.signature.startswith("clipscore|w2.5|prefix:as_embedded|model:toy|")


def test_the_score_with_references_is_the_formula_row_by_row():
    found = metrics.refclipscore(TEXTS, IMAGES, REFERENCES)
    expected = [
        harmonic(2.5 * max(cosine(t, v), 0), max(0, *(cosine(t, r) for r in several)))
        for t, v, several in zip(TEXTS, IMAGES, REFERENCES, strict=True)
    ]
    np.testing.assert_allclose(found.items, expected, atol=1e-15)
    assert found.signature.startswith("refclipscore|w2.5|clipped|")


def test_opposite_references_give_0_and_not_a_negative_mean():
    one = np.array([[1.0, 0.0]])
    assert metrics.refclipscore(one, one, [-one]).value == 0
    assert metrics.refclipscore(one, -one, [-one]).value == 0
    assert metrics.refclipscore(one, one, [one]).value == pytest.approx(2 * 2.5 / 3.5)


def test_lengths_of_vectors_do_not_matter():
    scale = np.array([1e-300, 1, 1e300])[np.arange(30) % 3][:, None]
    np.testing.assert_allclose(
        metrics.clipscore(TEXTS * scale, IMAGES / 7).items, metrics.clipscore(TEXTS, IMAGES).items, atol=1e-12
    )


class Recorder:
    """An embedding of the last letter, which remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def vectors(self, inputs):
        self.asked.append(list(inputs))
        return np.array([[1.0, ord(text[-1]) % 7] for text in inputs])

    def embed(self, samples, modality=None):
        assert {sample.modalities for sample in samples} == {(modality,)}
        return self.vectors([sample.inputs[modality] for sample in samples]).astype(np.float32)


def test_a_plain_function_and_a_models_embed_give_the_same():
    captions, images = ["a dog", None, "a cat", "a dog"], ["p", "q", "r", "s"]
    one, two = Recorder(), Recorder()
    found = metrics.clipscore(captions, images, embed=one.vectors, model="m")
    again = metrics.clipscore(captions, images, embed=two.embed, model="m")
    np.testing.assert_allclose(found.items, again.items)
    assert one.asked == two.asked == [images, ["A photo depicts a dog", "A photo depicts a cat"]]
    assert (found.n, found.n_missing) == (3, 1)
    assert "|prefix:yes|model:m|" in found.signature


def test_references_have_the_prefix_too_and_texts_are_embedded_once():
    recorder = Recorder()
    found = metrics.refclipscore(
        ["a dog", None], ["p", "q"], [["dogs", "a dog"], "b"], embed=recorder.vectors, prefix="see: "
    )
    assert recorder.asked[0] == ["see: dogs", "see: a dog", "see: b"]
    assert recorder.asked[1:] == [["p", "q"], ["see: a dog"]]
    assert "|prefix:see:|" in found.signature
    assert "|prefix:no|" in metrics.clipscore(["a"], ["b"], embed=recorder.vectors, prefix="").signature
    assert (found.n, found.n_missing) == (1, 1)


def test_inputs_are_embedded_batch_by_batch():
    recorder = Recorder()
    metrics.clipscore([f"{i}" for i in range(150)], ["p"] * 150, embed=recorder.vectors)
    assert max(map(len, recorder.asked)) <= 64


def test_missing_embeddings_are_rows_of_nan():
    texts = TEXTS.copy()
    texts[3] = np.nan
    found = metrics.clipscore(texts, IMAGES, unit=np.arange(30) // 2)
    assert (found.n, found.n_missing) == (15, 1)
    assert metrics.clipscore(texts, IMAGES).n == 29


def test_no_rows_are_undefined():
    assert np.isnan(metrics.clipscore([], []).value)
    assert np.isnan(metrics.refclipscore([], [], []).value)
    assert np.isnan(metrics.clipscore([], [], embed=Recorder().vectors).value)
    assert np.isnan(metrics.clipscore([None], ["p"], embed=Recorder().vectors).value)


def holed(array, row, value):
    out = array.copy()
    out[row, 0] = value
    return out


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.clipscore(TEXTS, IMAGES[:-1]), r"\(30, 8\) and \(29, 8\)"),
        (lambda: metrics.clipscore(TEXTS, IMAGES[:, :-1]), r"\(30, 8\) and \(30, 7\)"),
        (
            lambda: metrics.clipscore(TEXTS[0], IMAGES[0]),
            r"caption embeddings \[n, d\] were expected, not of shape \(8,\)",
        ),
        (lambda: metrics.clipscore(holed(TEXTS, 4, np.nan), IMAGES), "row 4: the caption embedding holds values"),
        (lambda: metrics.clipscore(TEXTS, holed(IMAGES, 5, np.inf)), "row 5: the image embedding holds values"),
        (lambda: metrics.clipscore(TEXTS, IMAGES * np.nan), "row 0: the image embedding holds values"),
        (lambda: metrics.clipscore(TEXTS * 0, IMAGES), "row 0: the caption embedding is all zeros"),
        (lambda: metrics.refclipscore(TEXTS, IMAGES, REFERENCES[1:]), "30 captions, 29 rows of references"),
        (lambda: metrics.refclipscore(TEXTS, IMAGES, [[]] * 30), r"row 0: references \[r, 8\] were expected"),
        (
            lambda: metrics.clipscore(["a"], ["b"]),
            r"caption embeddings \[n, d\]: row 0: numbers were expected.*texts and pictures need `embed`",
        ),
        (
            lambda: metrics.clipscore([3], ["b"], embed=Recorder().vectors),
            "row 0: a text was expected as prediction, not 3",
        ),
        (
            lambda: metrics.clipscore("dog", ["b"], embed=Recorder().vectors),
            "a list of texts was expected, not one text",
        ),
        (lambda: metrics.clipscore(["a", "b"], ["b"], embed=Recorder().vectors), r"2 captions, 1 images"),
        (
            lambda: metrics.clipscore(["a"], ["b"], embed=lambda many: np.zeros(3)),
            "1 vectors .* of `embed`, not an array",
        ),
        (
            lambda: metrics.refclipscore(["a"], ["b"], [[]], embed=Recorder().vectors),
            "row 0 has no reference",
        ),
        (
            lambda: metrics.refclipscore(["a"], ["b"], [None], embed=Recorder().vectors),
            "row 0: references as a text or a list of texts",
        ),
    ],
)
def test_bad_input_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()
