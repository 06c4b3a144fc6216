"""Decoding apart: the same arrays as here, and a file that hangs, dies or fills the memory loses itself alone."""

from __future__ import annotations

import io
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image as Pillow

import assay
from assay.data import decoder
from assay.data.ahead import ahead
from assay.data.encode import animated_webp
from assay.data.media import APART, Audio, Image, Video
from assay.types import MediaError

RNG = np.random.default_rng(3)


def png(size=(8, 6), colour=(1, 2, 3)) -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", size, colour).save(out, "PNG", compress_level=1)
    return out.getvalue()


def wav(subtype="PCM_16", channels=1, kind="WAV") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, 0.5 * np.sin(np.arange(800 * channels)).reshape(800, channels), 8000, subtype, format=kind)
    return out.getvalue()


@pytest.fixture
def child():
    """The one idle child."""
    Image(png(), limits=APART).load()
    return decoder._idle[-1]


@pytest.mark.parametrize("subtype,kind", [("PCM_16", "WAV"), ("PCM_U8", "WAV"), ("FLOAT", "WAV"), ("PCM_24", "FLAC")])
@pytest.mark.parametrize("channels", [1, 2])
def test_sounds_are_the_same_apart(subtype, kind, channels):
    data = wav(subtype, channels, kind)
    here, there = Audio(data), Audio(data, limits=APART)
    assert np.array_equal(here.load(), there.load()) and here.rate_hz == there.rate_hz == 8000


def test_pictures_and_films_are_the_same_apart():
    film = animated_webp(RNG.integers(0, 255, (3, 8, 8, 3), dtype=np.uint8), 10)
    here, there = Video(film), Video(film, limits=APART)
    assert np.array_equal(here.load(), there.load()) and here.fps == there.fps == 10
    assert np.array_equal(Image(png()).load(), Image(png(), limits=APART).load())


def test_errors_have_the_same_words():
    for make in (Image, Audio, Video):
        said = []
        for limits in (APART, replace(APART, apart=False)):
            with pytest.raises(MediaError) as caught:
                make(b"nothing of the kind", "x", limits=limits).load()
            said.append(str(caught.value))
        assert said[0] == said[1]


def test_a_decoder_that_stops_loses_its_file_alone(child):
    child.process.send_signal(signal.SIGSTOP)
    with pytest.raises(MediaError, match=r"slow.png: was not decoded within 0.3 s"):
        Image(png(), "slow.png", limits=replace(APART, wall_s=0.3)).load()
    assert child.process.returncode == -signal.SIGKILL
    assert Image(png(), limits=APART).load().shape == (6, 8, 3)


def test_a_decoder_that_dies_is_replaced_once(child):
    child.process.kill()
    child.process.wait()
    child.process.returncode = None  # as if it had died since it was last looked at
    assert Image(png(), limits=APART).load().shape == (6, 8, 3)


def test_what_kills_every_decoder_is_told(monkeypatch):
    class Dying(decoder.Child):
        def ask(self, asked, data, wall_s):
            os.kill(self.process.pid, signal.SIGSEGV)
            return super().ask(asked, data, wall_s)

    decoder.close()
    monkeypatch.setattr(decoder, "Child", Dying)
    with pytest.raises(MediaError, match=r"bad.png: the decoder died \(SIGSEGV\) on this file"):
        Image(png(), "bad.png", limits=APART).load()


def test_memory_is_limited():
    data = png((5000, 5000))
    with pytest.raises(MediaError, match="takes more than 0.1875 GiB of memory"):
        Image(data, limits=replace(APART, memory=3 << 26)).load()
    assert Image(data, limits=APART).load().shape == (5000, 5000, 3)


def test_the_child_sees_no_keys(monkeypatch):
    decoder.close()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    Image(png(), limits=APART).load()
    environment = Path(f"/proc/{decoder._idle[-1].process.pid}/environ")
    if environment.exists():
        assert b"canary" not in environment.read_bytes()


def test_threads_have_children_of_their_own():
    found = {}

    def work(number: int) -> None:
        for shade in range(number, 200, 8):
            pixel = Image(png((3, 2), (shade, 0, 0)), limits=APART).load()[0, 0, 0]
            found[shade] = int(pixel)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {shade: shade for shade in range(200)}
    assert len(decoder._idle) <= decoder.IDLE_AT_MOST


def test_a_fork_leaves_the_parents_children_alone(child):
    pid = os.fork()
    if pid == 0:
        shape = Image(png((5, 4)), limits=APART).load().shape
        decoder.close()
        os._exit(0 if shape == (4, 5, 3) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert Image(png(), limits=APART).load().shape == (6, 8, 3)
    assert child.process.poll() is None


def test_a_folder_survives_a_file_that_kills_the_decoder(tmp_path, monkeypatch):
    for i in range(4):
        (tmp_path / f"p{i}.png").write_bytes(png(colour=(i, 0, 0)))
    (tmp_path / "labels.csv").write_text("image,label\n" + "".join(f"p{i}.png,{'ab'[i % 2]}\n" for i in range(4)))
    usual = decoder.Child.ask

    def ask(self, asked, data, wall_s):
        if asked["source"] == "p2.png":
            self.process.kill()
        return usual(self, asked, data, wall_s)

    monkeypatch.setattr(decoder.Child, "ask", ask)
    run = assay.evaluate(lambda samples, choices: ["a" for _ in samples], tmp_path, task="classification")
    assert (run.estimates[0].n, run.estimates[0].n_missing) == (3, 1)
    assert [e["sample"] for e in run.errors()] == ["p2.png"] and "SIGKILL" in run.errors()[0]["error"]


def test_the_next_samples_are_decoded_meanwhile(tmp_path):
    for i in range(30):
        (tmp_path / f"p{i:02d}.png").write_bytes(png(colour=(i, 0, 0)) if i != 7 else b"broken")
    (tmp_path / "m.csv").write_text("image,label\n" + "".join(f"p{i:02d}.png,a\n" for i in range(30)))
    data = assay.load_dataset(tmp_path)
    shades = []
    for sample in ahead(data.samples, threads=3):
        try:
            shades.append(int(sample.inputs["image"].load()[0, 0, 0]))
        except MediaError:
            shades.append(-1)
    assert shades == [i if i != 7 else -1 for i in range(30)]
    few = ahead(data.samples, threads=3)
    assert next(few).id == "p00.png"
    few.close()
    assert [s.id for s in ahead(data.samples[:3], threads=1)] == ["p00.png", "p01.png", "p02.png"]
