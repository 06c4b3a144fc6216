"""Models that answer prompts: of pictures and texts (LLaVA, Qwen2-VL, SmolVLM … kinds), of sounds, and of texts alone.

``generate`` answers a sample's text about its picture, through the checkpoint's chat template; the prompt is never part of
the answer. A film is shown as pictures. A model of texts alone is the blind baseline: what it answers rightly could be
known without looking. ``score`` weighs any choices by how likely the model is to write them (`likelihood`).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from assay.data.requests import DESCRIBE, NAME, SORT
from assay.models.answering import as_float32
from assay.models.hub.checkpoint import Checkpoint, quiet
from assay.models.hub.collate import collated, groups
from assay.models.hub.decoding import decoding_of, ends_of, pad_of, settings
from assay.models.hub.likelihood import Choices, after_prompt
from assay.models.hub.processors import expect, processor_of, tokenizer_of
from assay.models.hub.prompts import Prompter
from assay.types import Facts, FloatArray, Media, Sample


class ChatModel:
    """A checkpoint that answers prompts as a `Model` that generates and scores any choices."""

    skills = ("ask", DESCRIBE, NAME, SORT)

    def __init__(self, checkpoint: Checkpoint, *, blind: bool = False) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        processor = None if blind else processor_of(checkpoint.folder, checkpoint.config.model_type)
        tokenizer = tokenizer_of(checkpoint.folder) if processor is None else processor.tokenizer
        self.prompter = Prompter(tokenizer, processor, checkpoint.options)
        self.decoding = decoding_of(checkpoint, tokenizer)
        self.pad = pad_of(tokenizer, self.decoding)
        self.modalities = frozenset({"text"} | _perceived(processor))
        self.fingerprint = checkpoint.fingerprint({"decoding": settings(self.decoding)})

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str | Media]:
        """One answer for each sample.

        `ValueError` for another modality than text and for a sample with nothing that the model takes, `MediaError` for a
        broken medium, `MemoryError` with a batch size.
        """
        if modality != "text":
            raise ValueError(f"{self.name} writes text, not {modality}")
        expect(self.name, samples, sorted(self.modalities))
        return [text for some in self.checkpoint.windows(samples) for text in self._answers(some)]

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]`` among the choices, in their order. Raises as `generate`."""
        if not choices:
            raise ValueError(f"{self.name} was given no choices to score")
        expect(self.name, samples, sorted(self.modalities))
        weighed = self._choices(choices)
        rows = [self._scores(some, weighed) for some in self.checkpoint.windows(samples)]
        return np.concatenate(rows) if rows else np.zeros((0, len(choices)), np.float32)

    def facts(self) -> Facts:
        """Parameters and bytes in memory."""
        return self.checkpoint.facts()

    def _answers(self, samples: Sequence[Sample]) -> list[str]:
        rows = self._inputs(samples, naming=False)
        out = [""] * len(rows)
        for places in groups(rows, self.checkpoint.options.batch, padded=True):
            placed = self.checkpoint.placed(collated([rows[place] for place in places], self.pad))
            for place, text in zip(places, self._written(placed), strict=True):
                out[place] = text
        return out

    def _scores(self, samples: Sequence[Sample], choices: Choices) -> FloatArray:
        rows = self._inputs(samples, naming=True)
        out = np.zeros((len(rows), len(choices.tokens)), np.float32)
        for places in groups(rows, self.checkpoint.options.batch, padded=False):
            placed = self.checkpoint.placed(collated([rows[place] for place in places], self.pad))
            out[places] = self._weighed(placed, choices)
        return out

    def _inputs(self, samples: Sequence[Sample], *, naming: bool) -> list[dict[str, Tensor]]:
        with quiet():
            rows = [self.prompter.inputs(self._seen(sample), naming=naming) for sample in samples]
        # Some tokenisers tell the parts of a text apart where a decoder does not ask for it.
        unasked = {"token_type_ids"} - set(inspect.signature(self.checkpoint.net.forward).parameters)
        return [{name: value for name, value in row.items() if name not in unasked} for row in rows]

    def _choices(self, choices: Sequence[str]) -> Choices:
        # Without a template nothing tells a model where its answer ends, so the end says nothing.
        ends = ends_of(self.decoding) if self.prompter.templated else ()
        return Choices(self.prompter.choice_tokens(choices), ends, self.checkpoint.options.likelihood == "mean")

    def _weighed(self, placed: Mapping[str, Tensor], choices: Choices) -> FloatArray:
        size = len(placed["input_ids"])
        rows = max(self.checkpoint.options.batch, size)
        compute = lambda: after_prompt(self.checkpoint.net, placed, choices, rows=rows).log_softmax(1).cpu()  # noqa: E731
        return as_float32(self.checkpoint.run(size, compute))

    def _written(self, placed: Mapping[str, Tensor]) -> list[str]:
        prompt = placed["input_ids"]
        net = self.checkpoint.net
        tokens: Tensor = self.checkpoint.run(
            len(prompt), lambda: net.generate(**placed, generation_config=self.decoding)
        )
        width = prompt.shape[1]
        if tokens.shape[1] >= width and torch.equal(tokens[:, :width], prompt):
            tokens = tokens[:, width:]
        texts = self.prompter.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        # A model without turns goes on to the next question: its answer is the first line.
        return [text.strip() if self.prompter.templated else text.strip().partition("\n")[0] for text in texts]

    def _seen(self, sample: Sample) -> Sample:
        """The sample with what the model takes."""
        return sample.with_inputs({name: value for name, value in sample.inputs.items() if name in self.modalities})


def _perceived(processor: object) -> set[str]:
    """The modalities beside text that a processor takes; a film is pictures."""
    images = {"image", "video"} if getattr(processor, "image_processor", None) is not None else set()
    return images | ({"audio"} if getattr(processor, "feature_extractor", None) is not None else set())
