"""Media: what they decode to, and what they refuse."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from assay.data import decode, encode
from assay.data.media import Audio, Image, Limits, Video
from assay.types import MediaError

RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (40, 30, 3), dtype=np.uint8)


def saved(picture: Pillow.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def tone(rate_hz: int = 16_000, seconds: float = 0.5, channels: int = 1) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)
    return np.stack([wave * (c + 1) / channels for c in range(channels)], axis=1).astype(np.float32)


def sound_file(kind: str, subtype: str | None = None, **made: float) -> bytes:
    out = io.BytesIO()
    rate_hz = int(made.get("rate_hz", 16_000))
    soundfile.write(
        out, tone(rate_hz, made.get("seconds", 0.5), int(made.get("channels", 1))), rate_hz, subtype, format=kind
    )
    return out.getvalue()


def container(frames: int = 6, kind: str = "mp4", path: Path | None = None, hidden: int = 0, **options: str) -> bytes:
    """A film of growing brightness; ``hidden`` frames at its beginning are trimmed off by an edit list."""
    import av

    out = io.BytesIO()
    with av.open(path or out, "w", format=kind, options=options) as file:
        settings = {"bf": "0", "g": "6"} if kind == "mp4" else {}
        stream = file.add_stream("libx264" if kind == "mp4" else "libvpx", rate=12, options=settings)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        shown = [np.full((48, 64, 3), 180 * n // frames, np.uint8) for n in range(frames)]
        pictures = [av.VideoFrame.from_ndarray(pixels, format="rgb24") for pixels in shown]
        for picture in (*pictures, None):
            for packet in stream.encode(picture):
                packet.pts = packet.dts = packet.pts - round(hidden / 12 / packet.time_base)
                file.mux(packet)
    return path.read_bytes() if path else out.getvalue()


# --- pictures


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_lossless_pictures_come_back_to_the_pixel(kind: str) -> None:
    pixels = np.zeros((5, 4, 3), np.uint8)
    pixels[1, 2] = (255, 0, 0)
    assert np.array_equal(Image(saved(Pillow.fromarray(pixels), kind)).load(), pixels)


def test_transparency_is_shown_on_white() -> None:
    clear = Pillow.new("RGBA", (2, 1), (255, 0, 0, 0))
    clear.putpixel((1, 0), (255, 0, 0, 128))
    pixels = Image(saved(clear, "PNG")).load()
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 1].tolist() == [255, 127, 127]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "CMYK", "1", "RGB"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    pixels = Image(saved(Pillow.fromarray(NOISE).convert("L").convert(mode), kind)).load()
    assert pixels.dtype == np.uint8 and pixels.shape == (40, 30, 3)


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    grey = np.array([[0, 257 * 100, 65535]], np.uint16)
    pixels = Image(saved(Pillow.fromarray(grey), "PNG")).load()
    assert pixels[0, :, 0].tolist() == [0, 100, 255]


def test_floating_point_pictures_are_refused() -> None:
    data = saved(Pillow.fromarray(np.ones((2, 2), np.float32)), "TIFF")
    with pytest.raises(MediaError, match="floating-point"):
        Image(data).load()


def test_exif_orientation_is_applied() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    data = saved(Pillow.fromarray(NOISE), "JPEG", exif=exif, quality=95)
    assert Image(data).load().shape == (30, 40, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_truncated_picture_names_its_source(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"half.{kind.lower()}"
    data = saved(Pillow.fromarray(NOISE), kind)
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(MediaError, match="half"):
        Image(path).load()


def test_the_same_failure_has_the_same_words() -> None:
    words = set()
    for _ in range(2):
        for medium in (Image(b"no picture", "x"), Audio(b"no sound", "x"), Video(b"no film", "x")):
            with pytest.raises(MediaError) as caught:
                medium.load()
            words.add(str(caught.value))
    assert len(words) == 3 and not any("0x" in word for word in words)


def test_a_picture_that_needs_another_program_is_refused() -> None:
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    with pytest.raises(MediaError, match="cannot be decoded as a picture"):
        Image(script).load()


def test_the_limit_of_pixels_is_held_before_decoding() -> None:
    data = saved(Pillow.new("1", (9000, 7500)), "PNG")
    with pytest.raises(MediaError, match="6.75e\\+07 pixels, more than the limit"):
        Image(data).load()
    assert Image(saved(Pillow.new("1", (4, 3)), "PNG"), limits=Limits(pixels=12)).load().shape == (3, 4, 3)
    with pytest.raises(MediaError, match="12 pixels, more than the limit of 11"):
        Image(saved(Pillow.new("1", (4, 3)), "PNG"), limits=Limits(pixels=11)).load()


def test_a_bomb_that_pillow_itself_refuses_is_a_media_error() -> None:
    data = bytearray(saved(Pillow.new("1", (8, 8)), "PNG"))
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    import zlib

    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    with pytest.raises(MediaError, match="bomb"):
        Image(bytes(data)).load()


# --- sounds


@pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", None)])
def test_sounds_decode_and_know_their_rate(kind: str, subtype: str | None) -> None:
    audio = Audio(sound_file(kind, subtype))
    assert audio.rate_hz == 16_000
    sound = audio.load()
    assert sound.dtype == np.float32 and sound.ndim == 1 and abs(len(sound) - 8000) < 2400
    assert 0.3 < np.sqrt(np.mean(sound[2000:6000] ** 2)) < 0.4


def test_channels_are_mixed_down() -> None:
    sound = Audio(sound_file("WAV", "FLOAT", channels=2)).load()
    assert np.allclose(sound, tone()[:, 0] * 0.75, atol=1e-6)


def test_resampling_keeps_the_tone() -> None:
    audio = Audio(sound_file("WAV", "FLOAT", rate_hz=44_100))
    sound = audio.load(rate_hz=16_000)
    assert len(sound) == 8000
    assert np.argmax(np.abs(np.fft.rfft(sound))) == 220  # 440 Hz in half a second
    assert np.abs(sound[500:-500] - tone()[500:-500, 0]).max() < 0.01


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sound_with_something_that_is_no_number_is_refused(value: float) -> None:
    out = io.BytesIO()
    sound = np.zeros(100, np.float32)
    sound[3:5] = value
    soundfile.write(out, sound, 16_000, "FLOAT", format="WAV")
    with pytest.raises(MediaError, match="2 samples that are NaN or infinite"):
        Audio(out.getvalue()).load()
    with pytest.raises(MediaError, match="2 samples"):
        Audio(sound, given_rate_hz=16_000).load()


def test_an_empty_sound_is_refused() -> None:
    out = io.BytesIO()
    soundfile.write(out, np.zeros(0, np.float32), 16_000, format="WAV")
    with pytest.raises(MediaError, match="no samples"):
        Audio(out.getvalue()).load()


@pytest.mark.parametrize(
    ("kind", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS")]
)
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_truncated_sound_is_refused(kind: str, subtype: str, share: float) -> None:
    data = sound_file(kind, subtype, seconds=2.0)
    Audio(data).load()
    with pytest.raises(MediaError):
        Audio(data[: int(len(data) * share)], "half").load()


def test_a_sound_that_is_too_long_is_refused() -> None:
    with pytest.raises(MediaError, match="0.5 seconds, more than the limit of 0.25"):
        Audio(sound_file("WAV"), limits=Limits(seconds=0.25)).load()


def test_a_declared_rate_that_is_wrong_is_told() -> None:
    with pytest.raises(MediaError, match="16000 Hz, but 8000 Hz"):
        Audio(sound_file("WAV"), given_rate_hz=8_000).load()


# --- films


def test_an_animation_has_its_frames_and_rate() -> None:
    frames = RNG.integers(0, 256, (5, 8, 6, 3), dtype=np.uint8)
    film = Video(encode.animated_webp(frames, 10))
    assert film.load().shape == (5, 8, 6, 3)
    assert film.fps == 10


def test_a_gif_has_its_frames_on_white() -> None:
    frames = [Pillow.new("L", (4, 4), 80 * n) for n in range(3)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=200)
    film = Video(data)
    assert film.load().shape == (3, 4, 4, 3) and film.fps == 5


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_a_container_has_its_frames_and_rate(kind: str) -> None:
    film = Video(container(kind=kind))
    frames = film.load()
    assert frames.shape == (6, 48, 64, 3) and film.fps == 12
    assert np.all(np.diff(frames.mean(axis=(1, 2, 3))) > 20)


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("kind", ["webp", "mp4", "faststart", "webm"])
def test_a_truncated_film_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    if kind == "webp":
        data = encode.animated_webp(RNG.integers(0, 256, (9, 32, 32, 3), dtype=np.uint8), 10)
    elif kind == "faststart":
        data = container(60, path=tmp_path / "film.mp4", movflags="faststart")
    else:
        data = container(60, kind)
    Video(data).load()
    with pytest.raises(MediaError, match="half"):
        Video(data[: int(len(data) * share)], "half").load()


def test_a_trimmed_film_is_whole() -> None:
    assert len(Video(container(30, hidden=8, avoid_negative_ts="disabled")).load()) == 22


def test_a_film_beyond_its_limits_is_refused() -> None:
    data = encode.animated_webp(RNG.integers(0, 256, (9, 8, 8, 3), dtype=np.uint8), 10)
    with pytest.raises(MediaError, match="9 frames, more than the limit of 8"):
        Video(data, limits=Limits(frames=8)).load()
    with pytest.raises(MediaError, match="576 pixels in all frames"):
        Video(data, limits=Limits(film_pixels=500)).load()
    with pytest.raises(MediaError, match="frames, more than the limit of 3"):
        Video(container(), limits=Limits(frames=3)).load()


def test_a_sound_is_no_film() -> None:
    with pytest.raises(MediaError, match="film"):
        Video(sound_file("FLAC", "PCM_16"), "song.flac").load()


# --- where content comes from


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for source, reason in [
        (tmp_path, "a folder"),
        (pipe, "a device or a pipe"),
        (Path("/dev/zero"), "a device or a pipe"),
        (tmp_path / "gone.png", "No such file"),
        ("https://example.org/cat.jpg", "is a URL"),
        ("nul\0byte.png", "null byte"),
        (b"", "is empty"),
    ]:
        with pytest.raises(MediaError, match=reason):
            Image(source).load()


def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(b"x" * 1000)
    for content in (path, b"x" * 1000):
        with pytest.raises(MediaError, match="1000 bytes, more than the limit of 999"):
            Image(content, limits=Limits(bytes=999)).load()


def test_arrays_of_another_shape_are_refused_when_they_are_made() -> None:
    for make in (
        lambda: Image(np.zeros((4, 4), np.uint8)),
        lambda: Image(np.zeros((4, 4, 3), np.float32)),
        lambda: Image(np.zeros((0, 4, 3), np.uint8)),
        lambda: Audio(np.zeros((4, 2), np.float32), given_rate_hz=8000),
        lambda: Audio(np.zeros(4, np.float32)),
        lambda: Video(np.zeros((4, 4, 3), np.uint8), given_fps=5),
        lambda: Video(np.zeros((1, 4, 4, 3), np.uint8)),
    ):
        with pytest.raises(MediaError, match="expected"):
            make()


def test_media_are_read_again_from_what_a_browser_gets() -> None:
    image = Image(NOISE)
    data, mime = image.bytes_and_mime()
    assert mime == "image/png" and np.array_equal(Image(data).load(), NOISE)
    sound = tone()[:, 0]
    data, mime = Audio(sound, given_rate_hz=16_000).bytes_and_mime()
    assert mime == "audio/flac" and np.abs(Audio(data).load() - sound).max() < 1e-4
    frames = RNG.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    data, mime = Video(frames, given_fps=5).bytes_and_mime()
    assert mime == "image/webp" and Video(data).load().shape == frames.shape


def test_a_browser_gets_the_original_where_it_can_show_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(saved(Pillow.fromarray(NOISE), "JPEG"))
    assert Image(path).bytes_and_mime() == (path.read_bytes(), "image/jpeg")
    assert Image(saved(Pillow.fromarray(NOISE), "TIFF")).bytes_and_mime()[1] == "image/png"
    assert Video(container()).bytes_and_mime()[1] == "video/mp4"
    assert Audio(sound_file("OGG", "VORBIS")).bytes_and_mime()[1] == "audio/ogg"


WHOLE = {
    Image: saved(Pillow.fromarray(NOISE), "WEBP"),
    Audio: sound_file("OGG", "OPUS"),
    Video: encode.animated_webp(RNG.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8), 10),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([Image, Audio, Video]), st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_byte_gives_an_array_or_a_media_error(kind: type, place: int, value: int) -> None:
    data = bytearray(WHOLE[kind])
    data[place % len(data)] = value
    try:
        array = kind(bytes(data), limits=Limits(pixels=10**6, film_pixels=10**6, seconds=60)).load()
    except MediaError:
        return
    assert array.size > 0


def test_frames_are_put_where_they_belong() -> None:
    for expected in (0, 3, 20, 100):
        frames = decode.Frames(expected, 6 * 50)
        for n in range(20):
            frames.append(np.full((2, 3, 3), n, np.uint8))
        assert frames.stacked().shape == (20, 2, 3, 3) and frames.stacked()[:, 0, 0, 0].tolist() == list(range(20))
    with pytest.raises(ValueError, match="change from 3 x 2 to 4 x 2"):
        frames.append(np.zeros((2, 4, 3), np.uint8))
