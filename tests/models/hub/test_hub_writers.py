"""Models that write, by ``hf:``: greedy texts and likelihoods of choices against the library, one sample and one choice at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image as Picture

from assay.data.media import Audio, Image, Video
from assay.models.hub.load import load_hub
from assay.types import Sample, Skilled

QUESTIONS = ("what colour is the shape?", "is it round?", "what")
CHOICES = ("red", "yellow thing", "no", "red", "")
WRITERS = ["llava_folder", "qwen_folder", "llama_folder", "blip_folder", "blip_vqa_folder"]


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    rng = np.random.default_rng(2)
    return [
        Sample(f"s{i}", {"image": Image(rng.integers(0, 255, (24 + 8 * i, 40, 3), dtype=np.uint8)), "text": text})
        for i, text in enumerate(QUESTIONS)
    ]


def seen(sample: Sample) -> Picture.Image:
    return Picture.fromarray(sample.inputs["image"].load())


def chat_inputs(folder: Path, sample: Sample) -> tuple[Any, dict[str, torch.Tensor], Any]:
    """Net, inputs and tokeniser as the library makes them; those of Qwen2-VL by hand, whose processor needs torchvision."""
    tokens = hf.AutoTokenizer.from_pretrained(folder)
    text = sample.inputs["text"]
    if folder.name == "llama":
        prompt = f"Question: {text}\nAnswer:"
        return hf.AutoModelForCausalLM.from_pretrained(folder).eval(), tokens(prompt, return_tensors="pt"), tokens
    net = hf.AutoModelForImageTextToText.from_pretrained(folder).eval()
    message = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}]
    prompt = tokens.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    if folder.name == "llava":
        processor = hf.AutoProcessor.from_pretrained(folder)
        return net, processor(images=seen(sample), text=prompt, return_tensors="pt"), tokens
    images = hf.AutoImageProcessor.from_pretrained(folder)(seen(sample), return_tensors="pt")
    places = int(images["image_grid_thw"].prod()) // 4
    told = tokens(prompt.replace("<|image_pad|>", "<|image_pad|>" * places), return_tensors="pt")
    kinds = (told["input_ids"] == net.config.image_token_id).long()
    return net, {**told, **images, "mm_token_type_ids": kinds}, tokens


def joined(text: torch.Tensor, more: list[int]) -> torch.Tensor:
    return torch.cat([text, torch.tensor([more], dtype=torch.int64)], 1)


def likelihood_alone(net: Any, inputs: dict[str, torch.Tensor], tokens: list[int], end: int | None) -> float:
    """Of one choice, from one pass over prompt and choice together."""
    whole = dict(inputs)
    whole["input_ids"] = joined(inputs["input_ids"], tokens)
    whole["attention_mask"] = torch.ones_like(whole["input_ids"])
    if "mm_token_type_ids" in whole:
        whole["mm_token_type_ids"] = joined(inputs["mm_token_type_ids"], [0] * len(tokens))
    logs = net(**whole).logits[0].double().log_softmax(1)
    start = inputs["input_ids"].shape[1] - 1
    told = [*tokens, *([] if end is None else [end])]
    return float(sum(logs[start + place, token] for place, token in enumerate(told)))


@pytest.mark.parametrize("kind", WRITERS[:3])
def test_chat_models_write_what_the_library_writes(
    kind: str, samples: list[Sample], request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(kind)
    texts = load_hub(f"hf:{folder}?max_tokens=7").generate(samples)
    for sample, text in zip(samples, texts, strict=True):
        net, inputs, tokens = chat_inputs(folder, sample)
        with torch.inference_mode():
            out = net.generate(**inputs, max_new_tokens=7, do_sample=False)
        expected = tokens.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()
        assert text == (expected.partition("\n")[0] if folder.name == "llama" else expected)


@pytest.mark.parametrize("kind", WRITERS[:3])
@pytest.mark.parametrize("measure", ["sum", "mean"])
def test_choices_are_as_likely_as_one_at_a_time(
    kind: str, measure: str, samples: list[Sample], request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(kind)
    scores = load_hub(f"hf:{folder}?likelihood={measure}&batch=2").score(samples, CHOICES)
    for sample, row in zip(samples, scores, strict=True):
        net, inputs, tokens = chat_inputs(folder, sample)
        end = None if folder.name == "llama" else tokens.eos_token_id
        before = " " if folder.name == "llama" else ""
        expected = []
        for choice in CHOICES:
            ids = tokens.encode(before + choice, add_special_tokens=False)
            with torch.inference_mode():
                alone = likelihood_alone(net, inputs, ids, end)
            expected.append(alone / (len(ids) + (end is not None)) if measure == "mean" else alone)
        np.testing.assert_allclose(row, torch.tensor(expected).log_softmax(0), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("kind", ["blip_folder", "blip_vqa_folder"])
def test_blip_writes_and_weighs_as_the_library_does(
    kind: str, samples: list[Sample], request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(kind)
    model = load_hub(f"hf:{folder}?max_tokens=7")
    auto = hf.BlipForConditionalGeneration if kind == "blip_folder" else hf.BlipForQuestionAnswering
    net, processor = auto.from_pretrained(folder).eval(), hf.AutoProcessor.from_pretrained(folder)
    scores = model.score(samples, CHOICES[:3])
    for sample, text, row in zip(samples, model.generate(samples), scores, strict=True):
        asked = {} if kind == "blip_folder" else {"text": sample.inputs["text"]}
        inputs = processor(images=seen(sample), return_tensors="pt", **asked)
        with torch.inference_mode():
            out = net.generate(**inputs, max_new_tokens=7, do_sample=False)
            states = net.vision_model(inputs["pixel_values"])[0]
            if asked:
                states = net.text_encoder(
                    input_ids=inputs["input_ids"], encoder_hidden_states=states, return_dict=False
                )[0]
            expected = []
            for choice in CHOICES[:3]:
                ids = [1, *processor.tokenizer.encode(choice, add_special_tokens=False), 2]
                logits = net.text_decoder(input_ids=torch.tensor([ids]), encoder_hidden_states=states).logits[0]
                logs = logits.log_softmax(1)
                expected.append(float(sum(logs[place, token] for place, token in enumerate(ids[1:]))))
        assert text == processor.decode(out[0], skip_special_tokens=True).strip()
        np.testing.assert_allclose(row, torch.tensor(expected).log_softmax(0), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_batch_answers_as_each_sample_alone(kind: str, samples: list[Sample], request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    model = load_hub(f"hf:{folder}?max_tokens=6")
    assert model.generate(samples) == [model.generate([sample])[0] for sample in samples]
    alone = np.concatenate([model.score([sample], CHOICES) for sample in samples])
    np.testing.assert_allclose(model.score(samples, CHOICES), alone, atol=1e-4)
    assert model.generate([]) == [] and model.score([], CHOICES).shape == (0, len(CHOICES))
    # More samples than are held at once, in an order that is not that of their lengths.
    many = [sample for sample in samples[::-1] for _ in range(2)]
    few = load_hub(f"hf:{folder}?max_tokens=6&batch=1")
    assert few.generate(many) == [text for text in model.generate(samples[::-1]) for _ in range(2)]
    np.testing.assert_allclose(few.score(many, CHOICES), np.repeat(alone[::-1], 2, axis=0), atol=1e-4)


def test_beams_and_lengths_are_part_of_the_fingerprint(llava_folder: Path) -> None:
    specs = ["", "?max_tokens=5", "?beams=2", "?likelihood=mean", "?batch=3"]
    prints = [load_hub(f"hf:{llava_folder}{spec}").fingerprint for spec in specs]
    assert len(set(prints)) == len(specs) - 1 and prints[0] == prints[-1]


def test_beams_are_those_of_the_library(llava_folder: Path, samples: list[Sample]) -> None:
    net, inputs, tokens = chat_inputs(llava_folder, samples[0])
    with torch.inference_mode():
        out = net.generate(**inputs, max_new_tokens=6, do_sample=False, num_beams=3)
    expected = tokens.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()
    assert load_hub(f"hf:{llava_folder}?max_tokens=6&beams=3").generate(samples)[0] == expected


@pytest.mark.parametrize("kind", ["llava_folder", "qwen_folder"])
def test_special_tokens_in_a_question_are_plain_text(
    kind: str, samples: list[Sample], request: pytest.FixtureRequest
) -> None:
    model = load_hub(f"hf:{request.getfixturevalue(kind)}?max_tokens=4")
    hostile = "\ud800 <|im_end|> <image> <|image_pad|> </s> {{ 7 * 7 }} {} \x00 \u202e what?"
    inputs = model.prompter.inputs(samples[0].with_inputs({"text": hostile}))
    tokens = model.prompter.tokenizer
    assert (inputs["input_ids"] == tokens.convert_tokens_to_ids("<|im_end|>")).sum() == 1
    asked = [sample.with_inputs({**sample.inputs, "text": hostile}) for sample in samples]
    assert len(model.generate(asked)) == 3


def test_a_film_is_shown_as_pictures_and_a_picture_may_be_missing(qwen_folder: Path) -> None:
    model = load_hub(f"hf:{qwen_folder}?max_tokens=4&frames=3")
    film = Video(np.random.default_rng(0).integers(0, 255, (9, 24, 24, 3), dtype=np.uint8), given_fps=3)
    assert model.prompter.inputs(Sample("f", {"video": film}))["image_grid_thw"].shape == (3, 3)
    assert len(model.generate([Sample("f", {"video": film}), Sample("b", {"text": "what colour?"})])) == 2
    with pytest.raises(ValueError, match="sample 'n' has nothing"):
        model.generate([Sample("n", {})])


def test_skills(blip_folder: Path, blip_vqa_folder: Path, qwen_folder: Path) -> None:
    found = [load_hub(f"hf:{folder}") for folder in (blip_folder, blip_vqa_folder, qwen_folder)]
    assert all(isinstance(model, Skilled) for model in found)
    assert [model.skills for model in found] == [("describe",), ("ask",), ("ask", "describe", "name", "sort")]


def test_whisper_writes_what_the_library_writes(whisper_folder: Path) -> None:
    rng = np.random.default_rng(3)
    sounds = [(rng.normal(size=n) * 0.1).astype(np.float32) for n in (8000, 30000, 16000)]
    samples = [Sample(f"a{i}", {"audio": Audio(sound, "", 16000)}) for i, sound in enumerate(sounds)]
    model = load_hub(f"hf:{whisper_folder}")
    net = hf.WhisperForConditionalGeneration.from_pretrained(whisper_folder).eval()
    processor = hf.AutoProcessor.from_pretrained(whisper_folder)
    texts = model.generate(samples)
    for sound, text in zip(sounds, texts, strict=True):
        features = processor(sound, sampling_rate=16000, return_tensors="pt").input_features
        with torch.inference_mode():
            out = net.generate(features, max_new_tokens=40, do_sample=False)
        assert text == processor.batch_decode(out, skip_special_tokens=True)[0].strip()
    assert texts == [model.generate([sample])[0] for sample in samples]


def test_a_long_sound_is_heard_in_windows_and_resampled(whisper_folder: Path) -> None:
    model = load_hub(f"hf:{whisper_folder}")
    rng = np.random.default_rng(4)
    loud = (rng.normal(size=24000) * 0.3).astype(np.float32)
    quiet = np.zeros(1600, np.float32)
    long = Sample("long", {"audio": Audio(np.concatenate([loud, quiet, quiet, quiet, loud]), "", 16000)})
    # The quietest place of the window's last fifth lies in the pause, right at its start.
    parts = [np.concatenate([loud, quiet[:1600]]), np.concatenate([quiet, quiet, loud])]
    apart = [Sample(f"{i}", {"audio": Audio(part, "", 16000)}) for i, part in enumerate(parts)]
    assert model.generate([long])[0] == " ".join(model.generate(apart))
    half = Audio(loud[::2].copy(), "", 8000)
    assert model.generate([Sample("h", {"audio": half})]) == model.generate(
        [Sample("h", {"audio": Audio(half.load(rate_hz=16000), "", 16000)})]
    )
