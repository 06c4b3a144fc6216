"""Spoken names: espeak-ng speaks, 16 kHz mono, Opus in an Ogg container without anything random in it."""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass

import av
import numpy as np
import soundfile
from scipy.signal import resample_poly

RATE_HZ = 16_000
BITS_PER_SECOND = 12_000
LOUDNESS_RMS = 0.1
QUIET = 0.002
FRAME = 960  # samples of one Opus frame of 60 ms
DELAY = 208  # samples: FFmpeg's Ogg writer counts the encoder's delay of 104 twice


@dataclass(frozen=True)
class Voice:
    """An espeak-ng voice with its speed (words per minute) and pitch (0 to 99)."""

    name: str
    speed: int = 165
    pitch: int = 50


TRAIN_VOICES = (
    Voice("en-us"),
    Voice("en-gb+f2", 155, 55),
    Voice("en-gb-scotland+m3", 160, 40),
    Voice("en-us+f4", 180, 60),
    Voice("en-gb-x-rp+m7", 150, 35),
    Voice("en-gb-x-gbclan+f3", 170, 65),
)
VALIDATION_VOICE = Voice("en-us-nyc+f5", 160, 50)
TEST_VOICE = Voice("en-029+m2", 160, 45)
VOICES = (*TRAIN_VOICES, VALIDATION_VOICE, TEST_VOICE)


def speak(text: str, voice: Voice) -> bytes:
    """Ogg/Opus bytes of the text, without silence at its ends, at one loudness."""
    command = ["espeak-ng", "-v", voice.name, "-s", str(voice.speed), "-p", str(voice.pitch), "--stdout", "--", text]
    spoken = subprocess.run(command, capture_output=True, check=True).stdout
    sound, rate_hz = soundfile.read(io.BytesIO(spoken), dtype="float32")
    sound = resample_poly(sound, RATE_HZ, rate_hz)
    heard = np.flatnonzero(np.abs(sound) > QUIET)
    assert len(heard) > RATE_HZ // 10, f"{voice.name} says nothing for {text!r}"
    sound = sound[heard[0] : heard[-1] + 1]
    sound *= LOUDNESS_RMS / np.sqrt(np.mean(sound**2))
    return encode(np.clip(sound, -1, 1))


def encode(sound: np.ndarray) -> bytes:
    """Ogg/Opus bytes of ``float[n]`` at `RATE_HZ`, and of as much silence as fills its last frame."""
    out = io.BytesIO()
    # Without it the encoder may promise more samples than its packets hold, and strict readers refuse the file.
    sound = np.append(sound, np.zeros(-(len(sound) + DELAY) % FRAME, sound.dtype))
    with av.open(out, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        options = {"b": str(BITS_PER_SECOND), "application": "voip", "frame_duration": "60", "compression_level": "10"}
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono", options=options)
        frame = av.AudioFrame.from_ndarray((sound * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    assert soundfile.info(io.BytesIO(out.getvalue())).frames >= len(sound), "an Opus file is too short"
    return out.getvalue()
