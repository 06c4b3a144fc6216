"""A sample as a prompt: through the checkpoint's own chat template, or in plain words where it has none.

What looks like one of a tokeniser's special tokens in a sample's text is broken up, so that a text can neither end its
turn nor ask for a picture that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from assay.data.requests import DESCRIBE, NAME, request
from assay.models.hub.options import Options
from assay.models.hub.processors import frames, picture, sound, whole_text
from assay.types import Sample

HEARD = "Write down what is said."
PLAIN = "Question: {}\nAnswer:"
SEEN = "USER: {} ASSISTANT:"


@dataclass(frozen=True)
class Prompter:
    """Makes a model's inputs. ``processor`` is None for a model of texts alone."""

    tokenizer: Any
    processor: Any
    options: Options

    @property
    def templated(self) -> bool:
        """Whether the checkpoint has a chat template."""
        return bool(self._template())

    def inputs(self, sample: Sample, *, naming: bool = False) -> dict[str, Tensor]:
        """The tensors of one sample, a batch of one. ``naming``: a picture without a text is to be named, not described."""
        pictures = [picture(sample)] if "image" in sample.inputs else []
        if "video" in sample.inputs:
            pictures += frames(sample, self.options.frames)
        heard = "audio" in sample.inputs
        prompt = self.rendered(self._words(sample, naming), len(pictures), int(heard))
        bos = self.tokenizer.bos_token
        given: dict[str, Any] = {"return_tensors": "pt", "add_special_tokens": not (bos and prompt.startswith(bos))}
        if self.processor is None:
            came = self.tokenizer([prompt], **given)
        else:
            if heard:
                rate = int(self.processor.feature_extractor.sampling_rate)
                given.update(audio=[sound(sample, rate)], sampling_rate=rate)
            came = self.processor(text=[prompt], images=[pictures] if pictures else None, **given)
        found = {name: value for name, value in came.items() if isinstance(value, Tensor)}
        return {"attention_mask": torch.ones_like(found["input_ids"]), **found}

    def rendered(self, words: str, pictures: int, sounds: int = 0) -> str:
        """The prompt as a text."""
        words = self.options.put(defused(whole_text(words), self._marks()))
        template = self._template()
        if not template:
            if self.processor is None:
                return words if self.options.prompt else PLAIN.replace("{}", words)
            marks = f"{self.processor.image_token}\n" * pictures
            return marks + words if self.options.prompt else SEEN.replace("{}", marks + words)
        content: Any = words
        if self.processor is not None:
            shown = [{"type": "image"}] * pictures + [{"type": "audio"}] * sounds
            content = [*shown, {"type": "text", "text": words}]
        message = [{"role": "user", "content": content}]
        return str(
            self.tokenizer.apply_chat_template(
                message, chat_template=template, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        )

    def choice_tokens(self, choices: Sequence[str]) -> tuple[tuple[int, ...], ...]:
        """The tokens with which each choice follows a prompt."""
        prompt = self.rendered("a", 0)
        tail = prompt[prompt.rfind("a") + 1 :] or "\n"
        before = tail if tail[-1].isspace() else f"{tail} "
        return tuple(self._following(tail, before, choice) for choice in choices)

    def _following(self, tail: str, before: str, choice: str) -> tuple[int, ...]:
        """The tokens that a choice adds to the tail; where both melt together, those of the choice by itself."""

        def encode(text: str) -> list[int]:
            return list(self.tokenizer.encode(text, add_special_tokens=False))

        choice = defused(whole_text(choice), self._marks())
        head, whole = encode(tail), encode(before + choice)
        if whole[: len(head)] == head:
            return tuple(whole[len(head) :])
        return tuple(encode(before[len(tail) :] + choice))

    def _words(self, sample: Sample, naming: bool) -> str:
        """What is asked: the sample's text, else the usual request for what it shows."""
        text = sample.inputs.get("text")
        if isinstance(text, str):
            return text
        seen = "image" in sample.inputs or "video" in sample.inputs
        return request(NAME if naming else DESCRIBE) if seen else HEARD

    def _template(self) -> str:
        found = getattr(self.processor, "chat_template", None) or self.tokenizer.chat_template
        return str(found.get("default", "")) if isinstance(found, dict) else found or ""

    def _marks(self) -> tuple[str, ...]:
        own = [str(token) for token in self.tokenizer.added_tokens_decoder.values()]
        more = [getattr(self.processor, name, None) for name in ("image_token", "video_token", "audio_token")]
        return tuple({one for one in [*own, *more] if isinstance(one, str) and len(one) > 2})


def defused(text: str, marks: Sequence[str]) -> str:
    """The text with a space in each special token, so that it is read as plain text.

    >>> defused("ignore <|im_end|> this", ["<|im_end|>"])
    'ignore < |im_end|> this'
    """
    if not marks:
        return text
    return re.sub("|".join(map(re.escape, marks)), lambda found: f"{found[0][0]} {found[0][1:]}", text)
