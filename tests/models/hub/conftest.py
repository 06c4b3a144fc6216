"""Tiny models with random weights, made from configurations and saved as people save theirs: folders for ``hf:``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image as Picture
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SENTENCES = [
    "a photo of a cat",
    "a picture of a dog on a green field",
    "what colour is the shape? red, green, blue, yellow",
    "is there a circle? yes or no",
    "Describe the picture. Name the picture.",
    "Question: Answer: user assistant",
]
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SIDE = 32
VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": 8,
}
TEXT = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
Save = Callable[..., Path]


def tokenizer(*more: str, framed: bool = False) -> hf.PreTrainedTokenizerFast:
    """A byte-level BPE trained on a few sentences; ``framed`` puts a start and an end around every text."""
    special = ["<pad>", "<s>", "</s>", *more]
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    trained.train_from_iterator(SENTENCES, trainer)
    if framed:
        trained.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
        )
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=trained,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=list(more),
        model_max_length=48,
    )


def vocabulary(tokens: hf.PreTrainedTokenizerFast) -> dict[str, int]:
    """What a text configuration needs to know of its tokeniser."""
    return {"vocab_size": len(tokens), "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


def spread(net: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """The net with weights large enough for its answers to differ from sample to sample."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim > 1:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.25)
    return net


@pytest.fixture(scope="session")
def save(tmp_path_factory: pytest.TempPathFactory) -> Save:
    def save(name: str, net: torch.nn.Module, *parts: object) -> Path:
        folder = tmp_path_factory.mktemp("hub") / name
        for part in (spread(net), *parts):
            part.save_pretrained(folder)
        return folder

    return save


@pytest.fixture(scope="session")
def clip_folder(save: Save) -> Path:
    tokens = tokenizer(framed=True)
    config = hf.CLIPConfig(
        text_config={**TEXT, **vocabulary(tokens), "max_position_embeddings": 48},
        vision_config=VISION,
        projection_dim=12,
    )
    size = {"shortest_edge": SIDE}
    images = hf.CLIPImageProcessorPil(size=size, crop_size={"height": SIDE, "width": SIDE})
    return save("clip", hf.CLIPModel(config), hf.CLIPProcessor(images, tokens))


@pytest.fixture(scope="session")
def siglip_folder(save: Save) -> Path:
    tokens = tokenizer(framed=True)
    config = hf.SiglipConfig(
        text_config={**TEXT, **vocabulary(tokens), "max_position_embeddings": 48, "projection_size": 16},
        vision_config=VISION,
    )
    images = hf.SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return save("siglip", hf.SiglipModel(config), images, tokens)


def blip_parts(kind: type) -> tuple[torch.nn.Module, object]:
    tokens = tokenizer("[CLS]", "[SEP]", framed=True)
    config = hf.BlipConfig(
        text_config={
            **TEXT,
            **vocabulary(tokens),
            "sep_token_id": 2,
            "encoder_hidden_size": 16,
            "max_position_embeddings": 48,
        },
        vision_config=VISION,
        projection_dim=12,
        image_text_hidden_size=12,
    )
    config.text_config.is_decoder = True
    images = hf.BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return kind(config), hf.BlipProcessor(images, tokens)


@pytest.fixture(scope="session")
def blip_folder(save: Save) -> Path:
    return save("blip-captions", *blip_parts(hf.BlipForConditionalGeneration))


@pytest.fixture(scope="session")
def blip_vqa_folder(save: Save) -> Path:
    return save("blip-vqa", *blip_parts(hf.BlipForQuestionAnswering))


@pytest.fixture(scope="session")
def llava_folder(save: Save) -> Path:
    tokens = tokenizer("<image>", "<|im_start|>", "<|im_end|>")
    config = hf.LlavaConfig(
        vision_config=hf.CLIPVisionConfig(**VISION),
        text_config=hf.LlamaConfig(**TEXT, **vocabulary(tokens), num_key_value_heads=1),
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
    )
    images = hf.CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    processor = hf.LlavaProcessor(
        images,
        tokens,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT.replace("IMAGE", "<image>\n"),
    )
    return save("llava", hf.LlavaForConditionalGeneration(config), processor)


@pytest.fixture(scope="session")
def qwen_folder(save: Save) -> Path:
    marks = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    tokens = tokenizer(*marks)
    places = dict(zip(marks, tokens.convert_tokens_to_ids(list(marks)), strict=True))
    config = hf.Qwen2VLConfig(
        text_config={
            **TEXT,
            **vocabulary(tokens),
            "num_key_value_heads": 1,
            "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0},
        },
        vision_config={"embed_dim": 16, "hidden_size": 16, "depth": 2, "num_heads": 2, "mlp_ratio": 2, "patch_size": 8},
        image_token_id=places["<|image_pad|>"],
        video_token_id=places["<|video_pad|>"],
        vision_start_token_id=places["<|vision_start|>"],
        vision_end_token_id=places["<|vision_end|>"],
    )
    images = hf.Qwen2VLImageProcessorPil(patch_size=8, min_pixels=16 * 16, max_pixels=48 * 48)
    tokens.chat_template = CHAT.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>")
    return save("qwen2-vl", hf.Qwen2VLForConditionalGeneration(config), images, tokens)


@pytest.fixture(scope="session")
def llama_folder(save: Save) -> Path:
    tokens = tokenizer()
    config = hf.LlamaConfig(**TEXT, **vocabulary(tokens), num_key_value_heads=1)
    return save("llama", hf.LlamaForCausalLM(config), tokens)


@pytest.fixture(scope="session")
def whisper_folder(save: Save) -> Path:
    """Hears two seconds at once."""
    tokens = tokenizer("<|startoftranscript|>", "<|notimestamps|>")
    start, plain = tokens.convert_tokens_to_ids(["<|startoftranscript|>", "<|notimestamps|>"])
    config = hf.WhisperConfig(
        vocab_size=len(tokens),
        num_mel_bins=16,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_source_positions=100,
        max_target_positions=48,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=start,
        suppress_tokens=[],
        begin_suppress_tokens=[],
    )
    net = hf.WhisperForConditionalGeneration(config)
    net.generation_config = hf.GenerationConfig(
        decoder_start_token_id=start, eos_token_id=2, pad_token_id=0, bos_token_id=1, is_multilingual=False
    )
    net.generation_config.no_timestamps_token_id = plain
    net.generation_config.max_length = 40
    sounds = hf.WhisperFeatureExtractor(feature_size=16, chunk_length=2)
    return save("whisper", net, sounds, tokens)


@pytest.fixture(scope="session")
def vit_folder(save: Save) -> Path:
    config = hf.ViTConfig(**VISION, id2label={0: "tabby, tabby cat", 1: "dog", 2: "race_car"})
    images = hf.ViTImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return save("vit", hf.ViTForImageClassification(config), images)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of several sizes with a manifest of labels, questions, answers and captions."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    lines = ["image,label,question,answer,caption"]
    asked = ("what colour is it?", "is it round?", "what is this thing in the picture?")
    for i, (label, answer) in enumerate(
        [("cat", "red"), ("dog", "no"), ("car", "blue"), ("cat", "yes"), ("dog", "no")]
    ):
        pixels = rng.integers(0, 255, (24 + 8 * (i % 3), 40, 3), dtype=np.uint8)
        Picture.fromarray(pixels).save(folder / f"{i}.png")
        lines.append(f"{i}.png,{label},{asked[i % 3]},{answer},a photo of a {label}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder
