"""The rarer families by ``hf:``: GIT, an image encoder with a text decoder, CTC, classifiers of texts, encoders, CLAP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image as Picture

from assay.data.media import Audio, Image
from assay.models.hub.load import load_hub
from assay.types import Sample

Save = Callable[..., Path]
SIZES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture(scope="module")
def tokens(llama_folder: Path) -> hf.PreTrainedTokenizerFast:
    return hf.AutoTokenizer.from_pretrained(llama_folder)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    rng = np.random.default_rng(5)
    return [
        Sample(
            f"s{i}",
            {
                "image": Image(rng.integers(0, 255, (32, 24 + 8 * i, 3), dtype=np.uint8)),
                "text": ("red", "a much longer text", "no")[i],
                "audio": Audio((rng.normal(size=3200 * (i + 1)) * 0.1).astype(np.float32), "", 16000),
            },
        )
        for i in range(3)
    ]


def same_alone(model: object, samples: list[Sample]) -> None:
    """A batch gives what each sample gives alone."""
    for verb in ("generate", "embed"):
        if callable(getattr(model, verb, None)):
            many, alone = getattr(model, verb)(samples), [getattr(model, verb)([s])[0] for s in samples]
            assert many == alone if verb == "generate" else np.allclose(many, np.stack(alone), atol=1e-6)


def test_git(save: Save, tokens: hf.PreTrainedTokenizerFast, samples: list[Sample]) -> None:
    vision = {**SIZES, "image_size": 32, "patch_size": 8}
    told = {"vocab_size": len(tokens), "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    net = hf.GitForCausalLM(hf.GitConfig(vision_config=vision, **SIZES, **told))
    images = hf.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    folder = save("git", net, images, tokens)
    model = load_hub(f"hf:{folder}?max_tokens=5")
    same_alone(model, samples)
    net = hf.GitForCausalLM.from_pretrained(folder).eval()
    for sample, row, text in zip(samples, model.score(samples, ["red", "no"]), model.generate(samples), strict=True):
        pixels = images(Picture.fromarray(sample.inputs["image"].load()), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            out = net.generate(pixel_values=pixels, max_new_tokens=5, do_sample=False)
            expected = []
            for choice in ("red", "no"):
                ids = [1, *tokens.encode(choice, add_special_tokens=False), 2]
                logs = net(input_ids=torch.tensor([ids]), pixel_values=pixels).logits[0, -len(ids) :].log_softmax(1)
                expected.append(float(sum(logs[place, token] for place, token in enumerate(ids[1:]))))
        assert text == tokens.decode(out[0], skip_special_tokens=True).strip()
        np.testing.assert_allclose(row, torch.tensor(expected).log_softmax(0), atol=1e-3)


def test_an_image_encoder_with_a_text_decoder(
    save: Save, tokens: hf.PreTrainedTokenizerFast, samples: list[Sample]
) -> None:
    encoder = hf.ViTConfig(**SIZES, image_size=32, patch_size=8)
    decoder = hf.BertConfig(**SIZES, vocab_size=len(tokens), is_decoder=True, add_cross_attention=True)
    config = hf.VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    net = hf.VisionEncoderDecoderModel(config)
    net.generation_config = hf.GenerationConfig(decoder_start_token_id=1, eos_token_id=2, pad_token_id=0)
    folder = save("vit-bert", net, hf.ViTImageProcessorPil(size={"height": 32, "width": 32}), tokens)
    model = load_hub(f"hf:{folder}?max_tokens=5")
    same_alone(model, samples)
    scores = model.score(samples, ["red", "no"])
    np.testing.assert_allclose(np.exp(scores).sum(1), 1, atol=1e-5)
    alone = np.concatenate([model.score([sample], ["red", "no"]) for sample in samples])
    np.testing.assert_allclose(scores, alone, atol=1e-4)


def test_ctc_collapses_what_it_hears(save: Save, samples: list[Sample], tmp_path: Path) -> None:
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefgh"]
    (tmp_path / "vocab.json").write_text(str({one: i for i, one in enumerate(letters)}).replace("'", '"'))
    words = hf.Wav2Vec2CTCTokenizer(str(tmp_path / "vocab.json"))
    config = hf.Wav2Vec2Config(
        **SIZES,
        vocab_size=len(letters),
        conv_dim=(8, 8),
        conv_kernel=(10, 8),
        conv_stride=(160, 2),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    folder = save("wav2vec2", hf.Wav2Vec2ForCTC(config), hf.Wav2Vec2FeatureExtractor(), words)
    model = load_hub(f"hf:{folder}")
    same_alone(model, samples)
    net = hf.Wav2Vec2ForCTC.from_pretrained(folder).eval()
    heard = hf.Wav2Vec2FeatureExtractor()(samples[2].inputs["audio"].load(), sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        best = net(**heard).logits.argmax(-1)
    assert model.generate(samples)[2] == words.batch_decode(best, skip_special_tokens=True)[0].strip()


def test_a_classifier_of_texts(save: Save, tokens: hf.PreTrainedTokenizerFast, samples: list[Sample]) -> None:
    config = hf.BertConfig(**SIZES, vocab_size=len(tokens), id2label={0: "NEGATIVE", 1: "POSITIVE"})
    folder = save("bert-labels", hf.BertForSequenceClassification(config), tokens)
    scores = load_hub(f"hf:{folder}").score(samples, ["positive", "negative"])
    net = hf.BertForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = torch.cat([net(**tokens(s.inputs["text"], return_tensors="pt")).logits for s in samples])
    np.testing.assert_allclose(scores, logits[:, [1, 0]].log_softmax(1), atol=1e-5)


def test_encoders_of_one_modality(save: Save, tokens: hf.PreTrainedTokenizerFast, samples: list[Sample]) -> None:
    texts = save("bert", hf.BertModel(hf.BertConfig(**SIZES, vocab_size=len(tokens)), add_pooling_layer=False), tokens)
    model = load_hub(f"hf:{texts}")
    same_alone(model, samples)
    net = hf.BertModel.from_pretrained(texts).eval()
    with torch.inference_mode():
        mean = net(**tokens(samples[1].inputs["text"], return_tensors="pt")).last_hidden_state[0].mean(0)
    np.testing.assert_allclose(model.embed(samples)[1], mean / mean.norm(), atol=1e-6)
    assert model.modalities == {"text"} and not model.aligned_space
    (texts / "1_Pooling").mkdir()
    (texts / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    assert not np.allclose(load_hub(f"hf:{texts}").embed(samples)[1], mean / mean.norm(), atol=1e-3)
    config = hf.Dinov2Config(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8)
    images = hf.ViTImageProcessorPil(size={"height": 32, "width": 32})
    pictures = load_hub(f"hf:{save('dinov2', hf.Dinov2Model(config), images)}")
    same_alone(pictures, samples)
    assert pictures.embed(samples).shape == (3, 16)
    with pytest.raises(ValueError, match="does not take 'text'"):
        pictures.embed(samples, "text")


@pytest.mark.filterwarnings("ignore:At least one mel filter")
def test_sounds_and_texts_in_one_space(save: Save, tokens: hf.PreTrainedTokenizerFast, samples: list[Sample]) -> None:
    sizes = {"spec_size": 64, "num_mel_bins": 16, "patch_size": 4, "patch_stride": [4, 4], "window_size": 4}
    hidden = {"hidden_size": 32, "patch_embeds_hidden_size": 16, "depths": [1, 1], "num_attention_heads": [2, 2]}
    config = hf.ClapConfig(
        text_config={**SIZES, "vocab_size": len(tokens), "max_position_embeddings": 48, "pad_token_id": 0},
        audio_config={**sizes, **hidden, "num_hidden_layers": 2},
        projection_dim=8,
    )
    sounds = hf.ClapFeatureExtractor(feature_size=16, sampling_rate=16000, max_length_s=1, truncation="rand_trunc")
    folder = save("clap", hf.ClapModel(config), sounds, tokens)
    model = load_hub(f"hf:{folder}")
    assert model.modalities == {"audio", "text"} and model.aligned_space
    assert model.embed(samples, "audio").shape == (3, 8)
    np.testing.assert_allclose(np.exp(model.score(samples, ["a", "b"])).sum(1), 1, atol=1e-5)
