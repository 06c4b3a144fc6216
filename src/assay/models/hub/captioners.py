"""Models that write about a picture by a decoder of their own: BLIP (captions, questions), GIT, an image encoder with a text decoder.

A captioner describes and takes no text, so no request can end up in its words; BLIP for questions answers the sample's text,
and where it is shown no picture sees one of zeros, which is the mean of all pictures.
``score`` weighs any choices by how likely each is to be written, its end included (`likelihood`).

Source: Li et al. 2022 (BLIP); Wang et al. 2022 (GIT).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from assay.data.requests import DESCRIBE
from assay.models.answering import as_float32
from assay.models.hub.checkpoint import Checkpoint
from assay.models.hub.collate import collated, groups
from assay.models.hub.decoding import decoding_of, ends_of, settings
from assay.models.hub.likelihood import Choices, decoded
from assay.models.hub.processors import expect, image_processor_of, picture, tokenizer_of, whole_text
from assay.types import Facts, FloatArray, Media, Sample

CAPTIONS = "BlipForConditionalGeneration"
QUESTIONS = "BlipForQuestionAnswering"
GIT = "GitForCausalLM"
KINDS = (CAPTIONS, QUESTIONS, GIT, "VisionEncoderDecoderModel")

Decode = Callable[[Tensor, Tensor], Tensor]


class Captioner:
    """A captioner or question answerer as a `Model` that generates and scores any choices."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.asked = checkpoint.kind == QUESTIONS
        self.skills: tuple[str, ...] = ("ask",) if self.asked else (DESCRIBE,)
        self.modalities = frozenset({"image", "text"} if self.asked else {"image"})
        self.images = image_processor_of(checkpoint.folder)
        self.tokenizer = tokenizer_of(checkpoint.folder)
        self.decoding = decoding_of(checkpoint, self.tokenizer)
        self.fingerprint = checkpoint.fingerprint({"decoding": settings(self.decoding)})

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str | Media]:
        """One text for each sample.

        `ValueError` for another modality than text and for a sample without a picture (where questions are answered, a question),
        `MediaError` for a broken picture, `MemoryError` with a batch size.
        """
        if modality != "text":
            raise ValueError(f"{self.name} writes text, not {modality}")
        out: list[str | Media] = [""] * len(samples)
        net = self.checkpoint.net
        for places, placed in self._batches(samples):
            tokens: Tensor = self.checkpoint.run(
                len(places), lambda placed=placed: net.generate(**placed, generation_config=self.decoding)
            )
            for place, text in zip(places, self.tokenizer.batch_decode(tokens, skip_special_tokens=True), strict=True):
                out[place] = text.strip()
        return out

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]`` among the choices, in their order. Raises as `generate`."""
        if not choices:
            raise ValueError(f"{self.name} was given no choices to score")
        tokens = tuple(tuple(self.tokenizer.encode(whole_text(one), add_special_tokens=False)) for one in choices)
        start, ends = self._frame()
        weighed = Choices(tokens, ends, self.checkpoint.options.likelihood == "mean")
        out = np.zeros((len(samples), len(choices)), np.float32)
        for places, placed in self._batches(samples):

            def compute(placed: Mapping[str, Tensor] = placed, n: int = len(places)) -> Tensor:
                decode = decoder_of(self.checkpoint.net, self.checkpoint.kind, placed)
                rows = max(n, self.checkpoint.options.batch)
                return decoded(decode, n, [start], weighed, rows=rows).log_softmax(1).cpu()

            out[places] = as_float32(self.checkpoint.run(len(places), compute))
        return out

    def facts(self) -> Facts:
        """Parameters and bytes in memory."""
        return self.checkpoint.facts()

    def _batches(self, samples: Sequence[Sample]) -> Iterator[tuple[list[int], dict[str, Tensor]]]:
        """Places and tensors of samples that may share a batch: questions of one length, since BLIP sees what pads them."""
        expect(self.name, samples, ["text" if self.asked else "image"])
        done = 0
        for some in self.checkpoint.windows(samples):
            rows = [self._inputs(sample) for sample in some]
            for places in groups(rows, self.checkpoint.options.batch, padded=False):
                placed = self.checkpoint.placed(collated([rows[place] for place in places], 0))
                yield [done + place for place in places], placed
            done += len(some)

    def _inputs(self, sample: Sample) -> dict[str, Tensor]:
        seen = picture(sample) if "image" in sample.inputs else Image.new("RGB", (8, 8))
        pixels: Tensor = self.images([seen], return_tensors="pt")["pixel_values"]
        inputs = {"pixel_values": pixels if "image" in sample.inputs else torch.zeros_like(pixels)}
        if self.asked:
            question = self.checkpoint.options.put(whole_text(sample.inputs["text"]))
            longest = self.checkpoint.config.text_config.max_position_embeddings
            told = self.tokenizer([question], truncation=True, max_length=longest, return_tensors="pt")
            inputs.update(input_ids=told["input_ids"], attention_mask=told["attention_mask"])
        return inputs

    def _frame(self) -> tuple[int, tuple[int, ...]]:
        """The token that a text starts with, and those that end it."""
        config = self.checkpoint.config
        if self.checkpoint.kind in (CAPTIONS, QUESTIONS):
            return config.text_config.bos_token_id, (config.text_config.sep_token_id,)
        start = self.decoding.decoder_start_token_id
        return (self.decoding.bos_token_id if start is None else start), ends_of(self.decoding)


def decoder_of(net: nn.Module, kind: str, placed: Mapping[str, Tensor]) -> Decode:
    """Logits ``[m, t, v]`` of tokens ``[m, t]`` for the inputs at ``index``; the inputs are encoded once, here."""
    pixels = placed["pixel_values"]
    if kind == GIT:
        # The picture's places come before the text's.
        return lambda tokens, index: net(input_ids=tokens.to(pixels.device), pixel_values=pixels[index]).logits[
            :, -tokens.shape[1] :
        ]
    if kind not in (CAPTIONS, QUESTIONS):
        from transformers.modeling_outputs import BaseModelOutput

        seen = net.encoder(pixel_values=pixels).last_hidden_state
        return lambda tokens, index: (
            net(
                encoder_outputs=BaseModelOutput(last_hidden_state=seen[index]),
                decoder_input_ids=tokens.to(pixels.device),
            ).logits
        )
    states = net.vision_model(pixel_values=pixels)[0]
    if kind == QUESTIONS:
        asked = {name: placed[name] for name in ("input_ids", "attention_mask")}
        states = net.text_encoder(**asked, encoder_hidden_states=states, return_dict=False)[0]
    return lambda tokens, index: (
        net.text_decoder(input_ids=tokens.to(pixels.device), encoder_hidden_states=states[index]).logits
    )
