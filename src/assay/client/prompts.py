"""Between samples and requests: what a sample is put as, how choices are asked for, how an answer by a letter is read.

Choices are scored by their letters: the model is shown ``A. cat``, ``B. dog`` … and answers with one letter. Where the server tells the
likeliest first tokens, a choice's probability is that of the tokens that are its letter, and a letter that is not among them is given no
more than the least of those told, nor than an equal share of what is left; then they are made to sum to 1. Where it tells none, the choice
that was named is certain (log-probability 0, all others minus infinity), and an answer that names none of them is a failure.
"""

from __future__ import annotations

import io
import string
from collections.abc import Sequence

import numpy as np

from assay import wire
from assay.data.encode import png
from assay.data.media import Audio, Image, Video
from assay.types import Failure, FloatArray, Media, MediaError, Sample

SENT_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
SENT_SOUNDS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3"}
LETTERS = string.ascii_uppercase
AROUND = " \t\r\n.:)(*\"'`"
LEAST = 1e-12
FRAMES = 8


def parts_of(
    sample: Sample, prompt: str, choices: Sequence[str] = (), *, letters: bool = False
) -> tuple[wire.Part, ...]:
    """A sample as the parts of a message: its media, then its text with what is asked of it. `MediaError` for what cannot be sent."""
    held = [value for _, value in sorted(sample.inputs.items()) if not isinstance(value, str)]
    media = [part for value in held for part in sent(value)]
    text = sample.inputs.get("text", "")
    assert isinstance(text, str), "the text of a sample is a string"
    words = [prompt.replace("{}", text)] if text or prompt != "{}" else []
    if letters:
        listed = "\n".join(f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False))
        words += [listed, "Answer with the letter of one of them and nothing else."]
    elif choices:
        words += ["Answer with one of these and nothing else:\n" + "\n".join(choices)]
    said = "\n\n".join(word for word in words if word)
    return (*media, wire.Text(said)) if said or not media else tuple(media)


def sent(medium: Media) -> list[wire.Part]:
    """A medium as it is sent: the file's own bytes where a server takes them, else PNG or WAV; a film as at most `FRAMES` pictures,
    evenly spaced, its first and last among them."""
    if isinstance(medium, Image):
        data, mime = medium.bytes_and_mime()
        if mime not in SENT_IMAGES:
            data, mime = Image(medium.load()).bytes_and_mime()
        return [wire.Picture(data, mime)]
    if isinstance(medium, Audio):
        data, mime = medium.bytes_and_mime()
        return [wire.Sound(data, SENT_SOUNDS[mime]) if mime in SENT_SOUNDS else wire.Sound(wav(medium), "wav")]
    if isinstance(medium, Video):
        film = medium.load()
        places = np.unique(np.linspace(0, len(film) - 1, min(FRAMES, len(film))).round().astype(int))
        return [wire.Picture(png(film[place]), "image/png") for place in places]
    raise MediaError(f"{medium.source}: {medium.modality} cannot be sent to an endpoint")


def wav(sound: Audio) -> bytes:
    """A sound as 16-bit WAV."""
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, sound.load(), sound.rate_hz, format="WAV", subtype="PCM_16")
    return out.getvalue()


def chosen(text: str, choices: Sequence[str]) -> int | None:
    """Which choice an answer names: by its letter alone, by letter and text, or by its text; ``None`` for anything else.

    >>> [chosen(text, ("cat", "dog")) for text in ("B", "(a).", "B. dog", "dog", "A. dog", "a dog", "C")]
    [1, 0, 1, 1, None, None, None]
    """
    plain = text.strip(AROUND).casefold()
    names = [choice.strip(AROUND).casefold() for choice in choices]
    if names.count(plain) == 1:
        return names.index(plain)
    letters = [letter.casefold() for letter, _ in zip(LETTERS, choices, strict=False)]
    if plain in letters:
        return letters.index(plain)
    letter, rest = plain[:1], plain[1:].strip(AROUND)
    at = letters.index(letter) if letter in letters and plain[1:2] in tuple(".:) ") else None
    return at if at is not None and names[at] == rest else None


def weighed(reply: wire.Reply, choices: Sequence[str]) -> FloatArray | Failure:
    """Log-probabilities ``float32[k]`` of the choices from an answer by a letter."""
    letters = LETTERS[: len(choices)]
    told = dict.fromkeys(letters, 0.0)
    for token, logprob in reply.first:
        letter = token.strip(AROUND).upper()
        if letter in told and len(letter) == 1 and logprob <= 0:
            told[letter] += float(np.exp(logprob))
    if any(told.values()):
        listed = [float(np.exp(logprob)) for _, logprob in reply.first]
        absent = sum(share == 0 for share in told.values())
        bound = min(min(listed), max(1.0 - sum(listed), 0.0) / max(absent, 1))
        shares = np.array([share or max(bound, LEAST) for share in told.values()])
        return np.asarray(np.log(shares / shares.sum()), np.float32)
    place = chosen(reply.text, choices)
    if place is None:
        return Failure("unparsed", f"the answer names none of the {len(choices)} choices: {reply.text[:200]!r}")
    row = np.full(len(choices), -np.inf, np.float32)
    row[place] = 0.0
    return row
