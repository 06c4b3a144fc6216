"""CLIP, SigLIP and classifiers by ``hf:`` against the library's own computation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image as Picture

from assay.data.media import Image
from assay.models.hub.load import load_hub
from assay.types import Aligned, Classifies, HasFacts, MediaError, Sample

TEXTS = ("a photo of a cat", "what colour is the shape? red, green, blue", "no")


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    rng = np.random.default_rng(1)
    return [
        Sample(f"s{i}", {"image": Image(rng.integers(0, 255, (20 + 9 * i, 40, 3), dtype=np.uint8)), "text": text})
        for i, text in enumerate(TEXTS)
    ]


def pixels(samples: list[Sample]) -> list[Picture.Image]:
    return [Picture.fromarray(sample.inputs["image"].load()) for sample in samples]


@pytest.mark.parametrize("kind", ["clip_folder", "siglip_folder"])
def test_vectors_and_scores_are_those_of_the_library(
    kind: str, samples: list[Sample], request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(kind)
    model = load_hub(f"hf:{folder}")
    net = hf.AutoModel.from_pretrained(folder).eval()
    processor = hf.AutoProcessor.from_pretrained(folder)
    whole = {"padding": "max_length", "max_length": 48} if kind == "siglip_folder" else {"padding": True}
    with torch.inference_mode():
        came = net(**processor(images=pixels(samples), text=list(TEXTS), return_tensors="pt", **whole))
    np.testing.assert_allclose(model.embed(samples, "image"), came.image_embeds, atol=2e-6)
    np.testing.assert_allclose(model.embed(samples, "text"), came.text_embeds, atol=2e-6)
    both = came.image_embeds + came.text_embeds
    np.testing.assert_allclose(model.embed(samples), both / both.norm(dim=1, keepdim=True), atol=2e-6)
    expected = came.logits_per_image.log_softmax(1)
    np.testing.assert_allclose(model.score(samples, TEXTS), expected, atol=2e-4)
    assert isinstance(model, Aligned) and model.aligned_space
    assert isinstance(model, HasFacts) and model.facts().parameters == net.num_parameters()


@pytest.mark.parametrize("kind", ["clip_folder", "siglip_folder"])
def test_a_row_depends_on_no_other(kind: str, samples: list[Sample], request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    one, many = load_hub(f"hf:{folder}?batch=1"), load_hub(f"hf:{folder}")
    for modality in ("image", "text", None):
        np.testing.assert_allclose(one.embed(samples, modality), many.embed(samples, modality), atol=1e-6)
    np.testing.assert_allclose(one.score(samples, TEXTS), many.score(samples, TEXTS), atol=1e-4)
    assert one.fingerprint == many.fingerprint


def test_a_prompt_is_put_around_choices(clip_folder: Path, samples: list[Sample]) -> None:
    plain, put = load_hub(f"hf:{clip_folder}"), load_hub(f"hf:{clip_folder}?prompt=a photo of a {{}}")
    asked = plain.score(samples, ["a photo of a cat", "a photo of a dog"])
    np.testing.assert_array_equal(put.score(samples, ["cat", "dog"]), asked)
    assert plain.fingerprint != put.fingerprint


def test_a_text_longer_than_the_net_is_cut_and_half_a_character_is_replaced(clip_folder: Path) -> None:
    long = Sample("long", {"text": "\ud800 a photo of a cat " * 100})
    assert np.isfinite(load_hub(f"hf:{clip_folder}").embed([long])).all()


def test_what_cannot_be_embedded_is_told(clip_folder: Path, samples: list[Sample]) -> None:
    model = load_hub(f"hf:{clip_folder}")
    with pytest.raises(ValueError, match="does not take 'audio'"):
        model.embed(samples, "audio")
    with pytest.raises(ValueError, match="sample 's' has text, .* needs image"):
        model.embed([Sample("s", {"text": "x"})], "image")
    with pytest.raises(MediaError, match="cannot be decoded"):
        model.embed([Sample("s", {"image": Image(b"no picture")})], "image")
    with pytest.raises(ValueError, match="no choices"):
        model.score(samples, [])
    assert model.embed([]).shape[0] == 0 and model.score([], ["a", "b"]).shape == (0, 2)


def test_a_classifier_gives_the_librarys_probabilities(vit_folder: Path, samples: list[Sample]) -> None:
    model = load_hub(f"hf:{vit_folder}")
    net = hf.AutoModelForImageClassification.from_pretrained(vit_folder).eval()
    images = hf.AutoImageProcessor.from_pretrained(vit_folder)
    with torch.inference_mode():
        logits = net(**images(pixels(samples), return_tensors="pt")).logits
    assert isinstance(model, Classifies) and model.classes == ("tabby, tabby cat", "dog", "race_car")
    np.testing.assert_allclose(model.score(samples, model.classes), logits.log_softmax(1), atol=2e-6)
    found = model.score(samples, ["Race Car", "tabby cat"])
    np.testing.assert_allclose(found, logits[:, [2, 0]].log_softmax(1), atol=2e-6)


def test_a_classifiers_labels_can_be_renamed(vit_folder: Path, samples: list[Sample]) -> None:
    model = load_hub(f"hf:{vit_folder}")
    named = load_hub(f"hf:{vit_folder}?labels=a,b,c")
    np.testing.assert_array_equal(
        named.score(samples, ["c", "a"]), model.score(samples, ["race_car", "tabby, tabby cat"])
    )
    with pytest.raises(ValueError, match="does not know the class 'bird'.*labels="):
        model.score(samples, ["bird", "dog"])
    with pytest.raises(ValueError, match="has 3 classes, .labels= names 2"):
        load_hub(f"hf:{vit_folder}?labels=a,b")
