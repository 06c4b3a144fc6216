"""What is put to an endpoint and how its replies are read: pictures, sounds, choices by their letters, vectors."""

import base64
import io
import math

import numpy as np
import pytest
from fault_server import Plan, error, ok, serving
from PIL import Image as Pillow

pytest.importorskip("httpx")

from assay import wire
from assay.client.endpoint import load_endpoint
from assay.client.prompts import parts_of, weighed
from assay.client.settings import Settings
from assay.data.media import Audio, Image, Video
from assay.types import Failure, Sample, Streams

RED = np.zeros((4, 6, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
TONE = np.sin(np.arange(800, dtype=np.float32) / 5)


def test_a_sample_is_one_message_of_its_media_and_its_text():
    sample = Sample("s", {"text": "what?", "image": Image(RED), "audio": Audio(TONE, given_rate_hz=8000)})
    with serving() as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(max_tokens=7, prompt="Briefly: {}"))
        assert isinstance(model, Streams) and model.generate([sample]) == ["answer to Briefly: what?"]
    [body] = server.bodies
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("m", 7, 0.0)
    [message] = body["messages"]
    sound, picture, text = message["content"]
    assert text == {"type": "text", "text": "Briefly: what?"}
    mime, _, data = picture["image_url"]["url"].partition(";base64,")
    assert mime == "data:image/png"
    assert (np.asarray(Pillow.open(io.BytesIO(base64.b64decode(data)))) == RED).all()
    assert sound["input_audio"]["format"] == "wav"
    assert base64.b64decode(sound["input_audio"]["data"])[:4] == b"RIFF"


def test_files_are_sent_as_they_are_where_servers_take_them(tmp_path):
    Pillow.fromarray(RED).save(tmp_path / "a.jpg")
    Pillow.fromarray(RED).save(tmp_path / "a.bmp")
    [jpeg] = parts_of(Sample("a", {"image": Image(tmp_path / "a.jpg")}), "{}")
    [bitmap] = parts_of(Sample("b", {"image": Image(tmp_path / "a.bmp")}), "{}")
    assert (jpeg.mime, jpeg.data) == ("image/jpeg", (tmp_path / "a.jpg").read_bytes())
    assert bitmap.mime == "image/png"


def test_a_film_is_sent_as_a_few_of_its_pictures():
    film = np.arange(20, dtype=np.uint8)[:, None, None, None] + np.zeros((20, 4, 4, 3), np.uint8)
    parts = parts_of(Sample("s", {"text": "what happens?", "video": Video(film, given_fps=5)}), "{}")
    shown = [int(np.asarray(Pillow.open(io.BytesIO(part.data)))[0, 0, 0]) for part in parts[:-1]]
    assert shown == [0, 3, 5, 8, 11, 14, 16, 19] and parts[-1] == wire.Text("what happens?")


def test_what_cannot_be_sent_fails_alone(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    given = [
        Sample("a", {"text": "?", "image": Image(tmp_path / "broken.png")}),
        Sample("b", {"text": "?", "video": Video(tmp_path / "broken.png")}),
        Sample("c", {"text": "?"}),
    ]
    with serving() as server:
        came = load_endpoint(f"openai:m@{server.url}").generate(given)
    assert [one.kind for one in came[:2]] == ["media", "media"] and "broken.png" in came[0].message
    assert came[2] == "answer to ?"


def test_choices_are_told_and_the_answer_is_kept_as_it_was_said():
    with serving(usual=lambda question: ok("Dog.")) as server:
        came = load_endpoint(f"openai:m@{server.url}").answer([Sample("a", {"text": "which?"})], ["cat", "dog"])
    assert came == ["Dog."]
    assert server.bodies[0]["messages"][0]["content"].startswith("which?") and "cat\ndog" in str(
        server.bodies[0]["messages"][0]["content"]
    )


def likely(**tokens: float) -> Plan:
    top = [{"token": token.replace("_", " "), "logprob": math.log(p)} for token, p in tokens.items()]
    return ok("B", "length", choice={"logprobs": {"content": [{"token": "B", "top_logprobs": top}]}})


def test_choices_are_weighed_by_the_likeliest_first_tokens():
    with serving(usual=lambda question: likely(B=0.5, _B=0.1, A=0.2, The=0.15)) as server:
        rows = load_endpoint(f"openai:m@{server.url}").score([Sample("a", {"text": "which?"})], ["cat", "dog", "hen"])
    asked = server.bodies[0]
    assert asked["logprobs"] is True and asked["top_logprobs"] == 20
    assert "A. cat\nB. dog\nC. hen" in asked["messages"][0]["content"]
    shares = np.exp(rows[0])
    assert shares.sum() == pytest.approx(1.0, abs=1e-6)
    # The letter that was not among those told has at most what is left, .05.
    assert shares == pytest.approx(np.array([0.2, 0.6, 0.05]) / 0.85, abs=1e-6)


@pytest.mark.parametrize("said", ["B", "(b)", "B. dog", "dog"])
def test_without_logprobs_the_choice_that_is_named_is_certain(said):
    with serving(usual=lambda question: ok(said)) as server:
        rows = load_endpoint(f"openai:m@{server.url}").score([Sample("a", {"text": "?"})], ["cat", "dog"])
    assert rows.tolist() == [[-math.inf, 0.0]]


def test_an_answer_that_names_no_choice_is_a_failure_and_not_a_guess():
    said = {"1": "B", "2": "I think it is a dog or a cat", "3": "Z"}
    with serving(usual=lambda question: ok(said[question[0]])) as server:
        model = load_endpoint(f"openai:m@{server.url}")
        came = model.score([Sample(i, {"text": f"{i}?"}) for i in said], ["cat", "dog"])
    assert came[0].tolist() == [-math.inf, 0.0]
    assert [one.kind for one in came[1:]] == ["unparsed", "unparsed"]


def test_a_server_that_refuses_logprobs_is_asked_without():
    def usual(question: str) -> Plan:
        return error(400, "logprobs are not supported") if "logprobs" in server.bodies[-1] else ok("A")

    with serving(usual=usual) as server:
        rows = load_endpoint(f"openai:m@{server.url}").score([Sample("a", {"text": "?"})], ["cat", "dog"])
    assert rows.tolist() == [[0.0, -math.inf]] and "top_logprobs" not in server.bodies[1]


def test_a_server_with_another_name_for_the_limit_is_understood_once():
    def usual(question: str) -> Plan:
        if "max_tokens" in server.bodies[-1]:
            return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return ok("yes")

    with serving(usual=usual) as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(max_tokens=9, concurrency=1))
        assert model.generate([Sample(str(i), {"text": f"{i}?"}) for i in range(4)]) == ["yes"] * 4
    assert [body.get("max_completion_tokens") for body in server.bodies] == [None, 9, 9, 9, 9]


def test_no_more_choices_than_letters():
    model = load_endpoint("openai:m@http://127.0.0.1:9/v1")
    with pytest.raises(ValueError, match="2 to 26 choices"):
        model.score([Sample("a", {"text": "?"})], [str(i) for i in range(27)])


def test_nothing_that_is_said_can_raise_a_log_probability_above_zero():
    impossible = wire.Reply("A", first=(("A", 3.0), ("B", -1.0)))
    assert weighed(impossible, ("cat", "dog")).max() <= 0
    assert isinstance(weighed(wire.Reply("", first=()), ("cat", "dog")), Failure)


def test_vectors_of_texts_have_length_one():
    def usual(question: str) -> Plan:
        vector = [0, 0] if question == "zero" else [3, 4.0]
        return Plan(body=wire.canonical({"data": [{"embedding": vector}], "usage": {"prompt_tokens": 3}}))

    with serving(usual=usual) as server:
        model = load_endpoint(f"openai:m@{server.url}")
        assert model.embed([Sample("a", {"text": "x"})], "text") == pytest.approx(np.array([[0.6, 0.8]]), abs=1e-6)
        came = model.embed([Sample("a", {"text": "x"}), Sample("b", {"text": "zero"})], "text")
        assert came[1].kind == "not_finite" and model.spent()["input_tokens"] == 9
        with pytest.raises(ValueError, match="vectors of texts only"):
            model.embed([Sample("a", {"image": Image(RED)})], "image")


@pytest.mark.parametrize(
    "body", [b'{"data": []}', b'{"data": [{"embedding": ["1"]}]}', b'{"data": [{"embedding": [true]}]}']
)
def test_a_vector_that_is_none_is_malformed(body):
    with pytest.raises(wire.Malformed):
        wire.read_embedding(body)


def test_the_same_request_has_the_same_bytes_whatever_the_order():
    parts = (wire.Picture(b"\x89PNG", "image/png"), wire.Text("é\ud800"))
    body = wire.Chat("m", parts, None, 5).body()
    assert body == wire.Chat("m", parts, None, 5).body() and b"temperature" not in body and b"\\ufffd" in body
