"""Recognisers of speech: Whisper and others that write (encoder and decoder), wav2vec 2.0 and others by CTC.

A sound longer than the model hears at once is cut where it is quietest, near the end of each window; the windows are
transcribed by themselves and their texts joined. Sounds are resampled to the model's rate.

Source: Radford et al. 2022; Graves et al. 2006 (CTC).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from assay.models.hub.checkpoint import WINDOW, Checkpoint
from assay.models.hub.collate import collated, groups
from assay.models.hub.decoding import decoding_of, settings
from assay.models.hub.processors import expect, feature_extractor_of, sound, tokenizer_of
from assay.types import Facts, Media, Sample

WINDOW_S = 30
SEARCHED = 0.2  # the part of a window, at its end, in which the quietest place is looked for
FRAME_S = 0.02
PROMPT = 8


class Recogniser:
    """A recogniser of speech as a `Model` that generates transcripts. ``ctc``: it gives letters for frames, and does not write."""

    modalities = frozenset({"audio"})

    def __init__(self, checkpoint: Checkpoint, *, ctc: bool = False) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.name
        self.ctc = ctc
        self.extractor = feature_extractor_of(checkpoint.folder)
        self.tokenizer = tokenizer_of(checkpoint.folder)
        self.decoding = None if ctc else self._decoding()
        told = {} if self.decoding is None else {"decoding": settings(self.decoding)}
        self.fingerprint = checkpoint.fingerprint(told)

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str | Media]:
        """One transcript for each sample.

        `ValueError` for another modality than text and for a sample without a sound, `MediaError` for a broken sound,
        `MemoryError` with a batch size.
        """
        if modality != "text":
            raise ValueError(f"{self.name} writes text, not {modality}")
        expect(self.name, samples, ["audio"])
        rate = int(self.extractor.sampling_rate)
        seconds = int(getattr(self.extractor, "chunk_length", None) or WINDOW_S)
        parts = (
            (place, part)
            for place, sample in enumerate(samples)
            for part in windows(sound(sample, rate), rate, seconds)
        )
        said: list[list[str]] = [[] for _ in samples]
        while some := list(itertools.islice(parts, WINDOW * self.checkpoint.options.batch)):
            texts = self._transcripts([self._features(part, rate) for _, part in some])
            for (place, _), text in zip(some, texts, strict=True):
                said[place].append(text)
        return [" ".join(filter(None, texts)) for texts in said]

    def facts(self) -> Facts:
        """Parameters and bytes in memory."""
        return self.checkpoint.facts()

    def _features(self, part: NDArray[np.float32], rate: int) -> dict[str, Tensor]:
        came = self.extractor(part, sampling_rate=rate, return_tensors="pt")
        return {name: value for name, value in came.items() if isinstance(value, Tensor)}

    def _transcripts(self, rows: Sequence[Mapping[str, Tensor]]) -> list[str]:
        """Windows of one length together: what fills up a shorter one would be heard by some nets."""
        out = [""] * len(rows)
        for places in groups(rows, self.checkpoint.options.batch, padded=False):
            placed = self.checkpoint.placed(collated([rows[place] for place in places], 0))
            tokens = self.checkpoint.run(len(places), lambda placed=placed: self._tokens(placed))
            texts = self.tokenizer.batch_decode(tokens, skip_special_tokens=True)
            for place, text in zip(places, texts, strict=True):
                out[place] = text.strip()
        return out

    def _tokens(self, placed: Mapping[str, Tensor]) -> Tensor:
        net = self.checkpoint.net
        if self.ctc:
            best: Tensor = net(**placed).logits.argmax(-1)
            return best
        told: dict[str, Any] = {}
        if getattr(self.decoding, "is_multilingual", False):
            told = {"task": "transcribe", "language": self.checkpoint.options.language or None}
        written: Tensor = net.generate(**placed, generation_config=self.decoding, **told)
        return written

    def _decoding(self) -> Any:
        """As long as the decoder can write, unless the options say less."""
        decoding = decoding_of(self.checkpoint, self.tokenizer)
        limit = getattr(self.checkpoint.config, "max_target_positions", None)
        if limit is not None:
            # The start, the language, the task and the timestamps' mark come first.
            decoding.max_new_tokens = min(self.checkpoint.options.max_tokens or limit, limit - PROMPT)
        return decoding


def windows(heard: NDArray[np.float32], rate_hz: int, seconds: int) -> list[NDArray[np.float32]]:
    """The sound in parts of at most ``seconds``, each cut at the quietest place in its last fifth.

    >>> [len(part) for part in windows(np.ones(250, np.float32), 100, 1)]
    [80, 80, 90]
    """
    longest, frame = seconds * rate_hz, max(1, int(FRAME_S * rate_hz))
    parts = []
    while len(heard) > longest:
        start = longest - int(SEARCHED * longest)
        tail = heard[start : start + (longest - start) // frame * frame].reshape(-1, frame)
        cut = start + int(np.square(tail).mean(1).argmin()) * frame
        parts.append(heard[:cut])
        heard = heard[cut:]
    return [*parts, heard]
