"""Saved nets as models: save and load, refusals, batches, errors at the edge; the shipped ones answer as they should."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from assay.models.aligned import Aligned, AlignedSettings
from assay.models.encoders.audio import FRAMES, log_mel, resample
from assay.models.folder import save_native
from assay.models.fused import Fused, FusedSettings
from assay.models.joint import Joint, JointSettings
from assay.models.native import SHIPPED, NativeModel, load_native, load_shipped
from assay.models.processor import Processor, pad_to_square
from assay.types import Embeds, HasFacts, MediaError, Sample, Scores

CLASSES = ("animals & nature", "food & drink", "flags")


class Picture:
    """A picture in memory, or a broken one."""

    modality, source = "image", "memory"

    def __init__(self, seed: int, *, broken: bool = False, shape: tuple[int, int] = (64, 64)) -> None:
        self.seed, self.broken, self.shape = seed, broken, shape

    def load(self) -> np.ndarray:
        if self.broken:
            raise MediaError("memory: not a picture")
        return np.random.default_rng(self.seed).integers(0, 255, (*self.shape, 3)).astype(np.uint8)


class Sound:
    """A tone in memory."""

    modality, source, rate_hz = "audio", "memory", 16_000

    def __init__(self, hertz: float) -> None:
        self.hertz = hertz

    def load(self) -> np.ndarray:
        return (0.3 * np.sin(np.arange(12_000) * self.hertz * 2 * np.pi / 16_000)).astype(np.float32)


SAMPLES = [
    Sample("a", {"text": "red apple", "image": Picture(0), "audio": Sound(300)}),
    Sample("b", {"image": Picture(1)}),
    Sample("c", {"text": "dog", "audio": Sound(700)}),
    Sample("d", {"text": ""}),
]


@pytest.fixture(params=["aligned", "joint", "fused"])
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    torch.manual_seed(0)
    small = {"dim": 32, "buckets": 256, "text_width": 32}
    nets = {
        "aligned": lambda: Aligned(AlignedSettings(image_widths=(16, 16, 32), **small)),
        "joint": lambda: Joint(JointSettings(CLASSES, layers=2, image_widths=(16, 16, 32), **small)),
        "fused": lambda: Fused(FusedSettings(CLASSES, image_widths=(16, 16, 32), **small)),
    }
    return save_native(tmp_path / request.param, nets[request.param](), Processor(buckets=256))


def test_a_model_is_what_the_protocols_say(saved: Path) -> None:
    model = load_native(saved)
    assert isinstance(model, Embeds) and isinstance(model, Scores) and isinstance(model, HasFacts)
    assert model.name == model.method == saved.name
    assert model.modalities == {"text", "image", "audio"}
    facts = model.facts()
    assert facts.parameters == sum(p.numel() for p in model.net.parameters())


def test_scores_are_log_probabilities_in_the_order_of_the_choices(saved: Path) -> None:
    model = load_native(saved)
    scores = model.score(SAMPLES, CLASSES)
    assert scores.shape == (4, 3) and scores.dtype == np.float32
    np.testing.assert_allclose(np.exp(scores).sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(model.score(SAMPLES, CLASSES[::-1]), scores[:, ::-1], atol=1e-6)


def test_saving_again_gives_the_same_answers_and_fingerprint_of_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    model = load_native(saved)
    again = load_native(model.save(tmp_path / "again"))
    assert np.array_equal(model.embed(SAMPLES), again.embed(SAMPLES))
    assert again.fingerprint == model.fingerprint and len(model.fingerprint) == 64
    assert model.renamed("mine").name == "mine"


def test_other_weights_have_another_fingerprint(saved: Path) -> None:
    before = load_native(saved).fingerprint
    path = saved / "model.safetensors"
    tensors = load_file(path)
    first = next(name for name, value in tensors.items() if value.is_floating_point())
    tensors[first] = tensors[first] + 1
    save_file(tensors, path)
    assert load_native(saved).fingerprint != before


def test_a_batch_of_one_is_a_row_of_the_batch(saved: Path) -> None:
    model = load_native(saved)
    together = model.embed(SAMPLES)
    np.testing.assert_allclose(np.concatenate([model.embed([s]) for s in SAMPLES]), together, atol=1e-5)
    assert np.array_equal(model.embed(SAMPLES), together)
    assert model.embed([]).shape == (0, 32) and model.score([], CLASSES).shape == (0, 3)


def test_one_modality_sees_nothing_else(saved: Path) -> None:
    model = load_native(saved)
    full = model.embed(SAMPLES[:1], "image")
    lone = model.embed([Sample("x", {"image": Picture(0)})], "image")
    np.testing.assert_allclose(full, lone, atol=1e-6)


def test_what_cannot_be_answered_names_the_sample(saved: Path) -> None:
    model = load_native(saved)
    with pytest.raises(ValueError, match=r"'b' has image, .* needs audio"):
        model.embed(SAMPLES[:2], "audio")
    with pytest.raises(ValueError, match="'v' has nothing"):
        model.score([Sample("v", {})], CLASSES)
    with pytest.raises(ValueError, match="does not take 'video'"):
        model.embed(SAMPLES, "video")
    with pytest.raises(ValueError, match="no choices"):
        model.score(SAMPLES, ())
    with pytest.raises(MediaError, match="not a picture"):
        model.embed([Sample("z", {"image": Picture(0, broken=True)})])


def test_unknown_classes_tell_the_nearest_and_aligned_takes_any(saved: Path) -> None:
    model = load_native(saved)
    if model.method == "aligned":
        assert model.score(SAMPLES, ("a dog", "an apple")).shape == (4, 2)
    else:
        with pytest.raises(ValueError, match="food & drink"):
            model.score(SAMPLES, ("food & drnk",))


def test_out_of_memory_is_pythons_error(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_native(saved)

    def fail(batch: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(model.net, "embed", fail)
    with pytest.raises(MemoryError):
        model.embed(SAMPLES)


def test_incomplete_and_wrong_folders_are_told(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lacks config\.json, model\.safetensors, processor\.json"):
        load_native(tmp_path / "nothing")
    config = json.loads((saved / "config.json").read_text())
    config["settings"]["text_width"] = 64
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"does not fit .*expected \(.*got \("):
        load_native(saved)
    config["method"] = "jont"
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="joint"):
        load_native(saved)
    (saved / "model.safetensors").write_bytes(b"\0" * 20)
    config["method"] = saved.name
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="cannot be read"):
        load_native(saved)


def test_pictures_of_any_size_are_taken() -> None:
    processor = Processor()
    wide = Picture(0, shape=(30, 90))
    assert processor.picture(wide).shape == (3, 48, 48)
    padded = pad_to_square(wide.load())
    assert padded.shape == (90, 90, 3) and int(padded[:30].min()) == 255


def test_spectrograms_have_one_size_and_do_not_mind_loudness() -> None:
    tone = Sound(440).load()
    mel = log_mel(tone)
    assert mel.shape == (64, FRAMES)
    torch.testing.assert_close(log_mel(tone * 0.1), mel, atol=2e-2, rtol=0)
    for odd in (np.zeros(16_000, np.float32), tone[:3], tone[:0], np.tile(tone, 6)):
        assert log_mel(odd).shape == (64, FRAMES) and bool(torch.isfinite(log_mel(odd)).all())


def test_resampling_keeps_a_tone() -> None:
    slow = np.sin(np.arange(8_000) * 440 * 2 * np.pi / 8_000).astype(np.float32)
    fast = np.sin(np.arange(16_000) * 440 * 2 * np.pi / 16_000).astype(np.float32)
    np.testing.assert_allclose(resample(slow, 8_000), fast, atol=1e-3)


@pytest.fixture(scope="module", params=("aligned", "joint", "fused"))
def shipped(request: pytest.FixtureRequest) -> NativeModel:
    return load_shipped(request.param)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_small_and_named(name: str) -> None:
    from assay.models.native import WEIGHTS

    assert load_shipped(f"assay:{name}").name == name
    assert (WEIGHTS / name / "model.safetensors").stat().st_size <= 6_000_000


def test_an_unknown_shipped_model_tells_the_nearest() -> None:
    with pytest.raises(ValueError, match="aligned"):
        load_shipped("alined")


def test_shipped_models_know_categories_of_concepts_they_never_saw(shipped: NativeModel) -> None:
    from assay.data.bundled import load

    data = load("emoji", "validation").for_task("classification").first(120)
    labels = [data.choices.index(str(sample.target)) for sample in data.samples]
    right = shipped.score([sample.shown() for sample in data.samples], data.choices).argmax(1) == labels
    assert right.mean() > 0.7


def test_the_shipped_aligned_model_names_pictures_and_sounds_it_never_met() -> None:
    from assay.data.bundled import load

    model = load_shipped("aligned")
    heard = [sample for sample in load("emoji", "validation").samples if "audio" in sample.inputs][:120]
    names = list(dict.fromkeys(sample.groups["name"] for sample in heard))
    right = [names.index(sample.groups["name"]) for sample in heard]
    texts = model.embed([Sample(name, {"text": name}) for name in names], "text")
    for modality in ("image", "audio"):
        scores = model.embed(heard, modality) @ texts.T
        ranks = (scores > scores[np.arange(len(heard)), right][:, None]).sum(1)
        # Ten of about sixty names by chance would be a sixth.
        assert (ranks < 10).mean() > 0.4, modality


def test_the_shipped_question_answerer_answers_about_pictures_it_never_saw() -> None:
    from assay.data.bundled import load

    model = load_shipped("vqa")
    asked = load("easy-vqa", "test").first(300).samples
    answers = model.generate([sample.shown() for sample in asked])
    assert np.mean([got == sample.target for got, sample in zip(answers, asked, strict=True)]) >= 0.97
    blind = model.generate([Sample(s.id, {"text": s.inputs["text"]}) for s in asked])
    assert 0.55 < np.mean([got == sample.target for got, sample in zip(blind, asked, strict=True)]) < 0.8


def test_a_small_net_answers_on_one_thread_and_leaves_the_others_as_they_were(monkeypatch):
    from assay.models import answering

    seen = []
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        for limit in (answering.SMALL, 1):
            monkeypatch.setattr(answering, "SMALL", limit)
            answering.guarded("net", torch.nn.Linear(3, 3), lambda: seen.append(torch.get_num_threads()))
            assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert seen == [1, 3]
