"""More kinds of chat models by ``hf:``: a batch as each alone, choices as likely as one pass over prompt and choice says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from assay.data.media import Image
from assay.models.hub.chat import ChatModel
from assay.models.hub.load import load_hub
from assay.types import Sample

Save = Callable[..., Path]
CHOICES = ("red", "blue thing", "no")
TEXT = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = {**TEXT, "num_key_value_heads": 1, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
VISION = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = {**VISION, "image_size": 32, "patch_size": 8}
QWEN_VISION = {
    "hidden_size": 16,
    "out_hidden_size": 16,
    "depth": 2,
    "num_heads": 2,
    "intermediate_size": 32,
    "patch_size": 8,
}
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {% for p in m['content'] %}{% if p['type'] == 'image' %}<image>{% else %}"
    "{{ p['text'] }}{% endif %}{% endfor %}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)


def qwen(folder: Path, kind: Any, config: Any, **vision: Any) -> tuple[Any, ...]:
    """As the Qwen2-VL of the other tests, with its tokeniser and pictures."""
    tokens, images = hf.AutoTokenizer.from_pretrained(folder), hf.AutoImageProcessor.from_pretrained(folder)
    told = hf.AutoConfig.from_pretrained(folder)
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    names = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    text = {**TEXT, "vocab_size": len(tokens), "head_dim": 8, "rope_parameters": rope}
    places = {name: getattr(told, name) for name in names}
    return kind(config(text_config=text, vision_config={**QWEN_VISION, **vision}, **places)), images, tokens


def qwen25(qwen_folder: Path, llava_folder: Path) -> tuple[Any, ...]:
    kinds = hf.Qwen2_5_VLForConditionalGeneration, hf.Qwen2_5_VLConfig
    return qwen(qwen_folder, *kinds, fullatt_block_indexes=[1], window_size=32)


def qwen3(qwen_folder: Path, llava_folder: Path) -> tuple[Any, ...]:
    kinds = hf.Qwen3VLForConditionalGeneration, hf.Qwen3VLConfig
    return qwen(qwen_folder, *kinds, deepstack_visual_indexes=[0], num_position_embeddings=64)


def idefics3(qwen_folder: Path, llava_folder: Path) -> tuple[Any, ...]:
    tokens = hf.AutoTokenizer.from_pretrained(llava_folder)
    tokens.add_special_tokens(
        {"additional_special_tokens": ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]}
    )
    config = hf.Idefics3Config(
        text_config={"model_type": "llama", **TEXT, "vocab_size": len(tokens)},
        vision_config=VISION,
        scale_factor=2,
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
    )
    sizes = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}, "do_image_splitting": False}
    processor = hf.Idefics3Processor(
        hf.Idefics3ImageProcessorPil(**sizes), tokens, image_seq_len=4, chat_template=TEMPLATE
    )
    return hf.Idefics3ForConditionalGeneration(config), processor


def llava_next(qwen_folder: Path, llava_folder: Path) -> tuple[Any, ...]:
    tokens = hf.AutoTokenizer.from_pretrained(llava_folder)
    grid = {"image_grid_pinpoints": [[32, 64], [64, 32]]}
    config = hf.LlavaNextConfig(
        vision_config=hf.CLIPVisionConfig(**VISION),
        text_config=hf.LlamaConfig(**TEXT, vocab_size=len(tokens)),
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
        **grid,
    )
    images = hf.LlavaNextImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}, **grid)
    processor = hf.LlavaNextProcessor(
        images, tokens, patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    )  # fmt: skip
    return hf.LlavaNextForConditionalGeneration(config), processor


def in_one_pass(model: ChatModel, sample: Sample) -> torch.Tensor:
    """The log-probabilities of `CHOICES`, each from one pass over prompt and choice together."""
    inputs = model.checkpoint.placed(model.prompter.inputs(sample, naming=True))
    told = model._choices(CHOICES)
    width, totals = inputs["input_ids"].shape[1], []
    for tokens in told.tokens:
        more = {"input_ids": torch.tensor([tokens]), "attention_mask": torch.ones(1, len(tokens), dtype=torch.int64)}
        more["mm_token_type_ids"] = torch.zeros(1, len(tokens), dtype=torch.int64)
        whole = {name: torch.cat([one, more[name]], 1) if name in more else one for name, one in inputs.items()}
        with torch.inference_mode():
            logs = model.checkpoint.net(**whole).logits[0].log_softmax(1)
        written = sum(float(logs[width - 1 + place, token]) for place, token in enumerate(tokens))
        totals.append(written + float(logs[width - 1 + len(tokens), list(told.ends)].logsumexp(0)))
    return torch.tensor(totals).log_softmax(0)


@pytest.mark.parametrize("make", [qwen25, qwen3, idefics3, llava_next])
def test_kinds_of_chat_models(
    make: Callable[[Path, Path], tuple[Any, ...]], save: Save, qwen_folder: Path, llava_folder: Path
) -> None:
    rng = np.random.default_rng(6)
    asked = ("what colour is it?", "is it round?", "what is this")
    samples = [
        Sample(f"s{i}", {"image": Image(rng.integers(0, 255, (24 + 8 * i, 40, 3), dtype=np.uint8)), "text": text})
        for i, text in enumerate(asked)
    ]
    model = load_hub(f"hf:{save(make.__name__, *make(qwen_folder, llava_folder))}?max_tokens=6")
    assert isinstance(model, ChatModel)
    texts = model.generate(samples)
    assert texts == [model.generate([sample])[0] for sample in samples] and len(set(texts)) > 1
    for sample, row in zip(samples, model.score(samples, CHOICES), strict=True):
        np.testing.assert_allclose(row, in_one_pass(model, sample), atol=1e-4)
