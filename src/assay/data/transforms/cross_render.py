"""The same content through another modality: a text as a picture of itself, or spoken where espeak-ng is installed."""

from __future__ import annotations

import functools
import io
import shutil
import subprocess
import textwrap
import wave
from functools import partial

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from assay.data.media import Audio, Image
from assay.types import Condition, MediaError, Sample

SIDE_PX, MARGIN_PX, LINE = 224, 12, 22
SPEAKER = "espeak-ng"
SPEAKS_S = 30.0


def picture_of(text: str) -> Image:
    """The text in black on white, wrapped, as large as fits into `SIDE_PX` by `SIDE_PX`.

    >>> picture_of("two words").load().shape
    (224, 224, 3)
    """
    lines = textwrap.wrap(text, LINE) or [""]
    size = max(8, min(28, (SIDE_PX - 2 * MARGIN_PX) // max(1, len(lines)) - 4))
    sheet = Pictures.new("RGB", (SIDE_PX, SIDE_PX), "white")
    font = ImageFont.load_default(size=size)
    ImageDraw.Draw(sheet).multiline_text((MARGIN_PX, MARGIN_PX), "\n".join(lines), fill="black", font=font)
    return Image(np.asarray(sheet, dtype=np.uint8), "a picture of the text")


def can_speak() -> bool:
    """Whether texts can be spoken on this machine."""
    return shutil.which(SPEAKER) is not None


@functools.lru_cache(maxsize=16)
def speech_of(text: str) -> Audio:
    """The text spoken by espeak-ng. Raises `MediaError` where it cannot be."""
    command = [SPEAKER, "--stdout", "--stdin"]
    try:
        said = subprocess.run(
            command, input=text.encode("utf-8", "replace"), capture_output=True, timeout=SPEAKS_S, check=True
        )
        with wave.open(io.BytesIO(said.stdout)) as file:
            frames, rate_hz = file.readframes(file.getnframes()), file.getframerate()
    except (OSError, subprocess.SubprocessError, wave.Error, EOFError) as error:
        raise MediaError(f"{SPEAKER} did not speak {text[:40]!r}: {error}") from error
    return Audio(np.frombuffer(frames, "<i2").astype(np.float32) / 32768.0, "the text, spoken", given_rate_hz=rate_hz)


def substitute(modality: str) -> Condition:
    """The condition under which the text is shown as a picture (``image``) or spoken (``audio``), and nothing else is."""
    return Condition(f"substitute:text@{modality}", partial(through, modality=modality))


def through(sample: Sample, rng: np.random.Generator, modality: str) -> Sample:
    """The sample's text through another modality, alone. The generator is not used."""
    text = sample.inputs.get("text")
    if not isinstance(text, str):
        return sample
    return sample.with_inputs({modality: picture_of(text) if modality == "image" else speech_of(text)})
