"""Cassettes and caches: what was answered once is not asked again, what was not is told by the sample's name."""

import json

import pytest

pytest.importorskip("httpx")

from fault_server import KEY, error, ok, serving

from assay.client.endpoint import load_endpoint
from assay.client.settings import Settings
from assay.types import Failure, Sample

NOWHERE = "openai:m@http://127.0.0.1:9/v1"


def samples(*texts: str) -> list[Sample]:
    return [Sample(f"id-{text}", {"text": text}) for text in texts]


def test_a_cassette_replays_answers_refusals_and_rejections_without_a_server(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    script = {"b": [error(400, f"no, {KEY}")], "c": [error(500), ok(f"see {KEY}")], "d": [ok("cut", "length")]}
    cassette = str(tmp_path / "folder" / "calls.jsonl")
    with serving(script) as server:
        recorded = load_endpoint(f"openai:m@{server.url}", Settings(record=cassette)).generate(samples(*"abcd"))
    replayed = load_endpoint(NOWHERE, Settings(replay=cassette))
    assert replayed.generate(samples(*"abcd")) == recorded
    assert recorded[0] == "answer to a" and [one.kind for one in (recorded[1], recorded[3])] == [
        "rejected",
        "truncated",
    ]
    assert replayed.spent()["from_memory"] == 4 and replayed.spent()["requests"] == 0
    assert KEY.encode() not in (tmp_path / "folder" / "calls.jsonl").read_bytes()


def test_a_server_that_failed_to_the_last_attempt_is_replayed_as_that_until_it_answered(tmp_path):
    cassette = str(tmp_path / "calls.jsonl")
    asked = Settings(record=cassette, attempts=2)
    with serving({"a": [error(500), error(500), ok("late")]}) as server:
        recorded = load_endpoint(f"openai:m@{server.url}", asked).generate(samples("a", "b"))
        assert recorded[0].kind == "server_error" and recorded[1] == "answer to b"
        replay = Settings(replay=cassette, attempts=2)
        assert load_endpoint(NOWHERE, replay).generate(samples("a", "b")) == recorded
        assert load_endpoint(f"openai:m@{server.url}", asked).generate(samples("a")) == ["late"]
    assert load_endpoint(NOWHERE, replay).generate(samples("a")) == ["late"]


def test_what_is_not_in_the_cassette_is_an_error_that_names_the_sample(tmp_path):
    cassette = str(tmp_path / "calls.jsonl")
    with serving() as server:
        load_endpoint(f"openai:m@{server.url}", Settings(record=cassette)).generate(samples("a"))
    came = load_endpoint(NOWHERE, Settings(replay=cassette)).generate(samples("a", "b"))
    assert came[0] == "answer to a" and came[1].kind == "not_recorded" and "'id-b'" in came[1].message
    other = load_endpoint(NOWHERE, Settings(replay=cassette, temperature=0.5)).generate(samples("a"))
    assert other[0].kind == "not_recorded"  # another request


def test_a_cassette_grows_and_survives_half_a_line(tmp_path):
    cassette = tmp_path / "calls.jsonl"
    with serving() as server:
        asked = Settings(record=str(cassette))
        load_endpoint(f"openai:m@{server.url}", asked).generate(samples("a"))
        with cassette.open("ab") as file:
            file.write(b'{"request": "hal')
        assert load_endpoint(NOWHERE, Settings(replay=str(cassette))).generate(samples("a")) == ["answer to a"]
        load_endpoint(f"openai:m@{server.url}", asked).generate(samples("b"))
    assert len([json.loads(line) for line in cassette.read_text().splitlines()]) == 2


def test_repeats_are_replayed_in_their_order(tmp_path):
    cassette = str(tmp_path / "calls.jsonl")
    with serving({"a": [ok("one"), ok("two")]}) as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(record=cassette, temperature=1.0, concurrency=1))
        assert model.generate(samples("a", "a")) == ["one", "two"]
    again = load_endpoint(NOWHERE, Settings(replay=cassette, temperature=1.0, concurrency=1))
    assert again.generate(samples("a", "a")) == ["one", "two"]


@pytest.mark.parametrize("line", ["{}", "[]", '{"request": 1, "status": 200, "body": ""}', "nothing"])
def test_a_file_that_is_no_cassette_is_refused_with_its_line(tmp_path, line):
    (tmp_path / "x.jsonl").write_text(line + "\n")
    with pytest.raises(ValueError, match="x.jsonl, line 1"):
        load_endpoint(NOWHERE, Settings(replay=str(tmp_path / "x.jsonl"))).generate(samples("a"))


def test_a_cache_keeps_answers_and_no_errors(tmp_path):
    with serving({"b": [error(400), ok("now")], "c": [ok("cut", "length"), ok("whole")]}) as server:
        asked = Settings(cache=str(tmp_path))
        first = load_endpoint(f"openai:m@{server.url}", asked).generate(samples(*"abc"))
        second = load_endpoint(f"openai:m@{server.url}", asked).generate(samples(*"abc"))
        third = load_endpoint(f"openai:m@{server.url}", asked)
        assert third.generate(samples(*"abc")) == second
    assert second == ["answer to a", "now", "whole"]
    assert first[0] == "answer to a" and all(isinstance(one, Failure) for one in first[1:])
    assert server.asked == {"a": 1, "b": 2, "c": 2} and third.spent()["from_memory"] == 3


def test_a_cache_is_for_one_endpoint_and_holds_bytes_as_they_came(tmp_path):
    with serving() as one, serving(usual=lambda question: ok("other")) as two:
        asked = Settings(cache=str(tmp_path))
        assert load_endpoint(f"openai:m@{one.url}", asked).generate(samples("a")) == ["answer to a"]
        assert load_endpoint(f"openai:m@{two.url}", asked).generate(samples("a")) == ["other"]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == 2 and all(json.loads(path.read_bytes())["choices"] for path in kept)


def test_what_was_asked_in_other_words_is_replayed_by_its_answer(tmp_path):
    cassette = str(tmp_path / "calls.jsonl")

    def usual(question: str):
        return error(400, "logprobs are not supported") if "logprobs" in server.bodies[-1] else ok("A")

    with serving(usual=usual) as server:
        recorded = load_endpoint(f"openai:m@{server.url}", Settings(record=cassette)).score(samples("a"), ["x", "y"])
    assert (load_endpoint(NOWHERE, Settings(replay=cassette)).score(samples("a"), ["x", "y"]) == recorded).all()


def test_a_kept_file_without_its_content_is_asked_for_again(tmp_path):
    with serving() as server:
        asked = Settings(cache=str(tmp_path))
        load_endpoint(f"openai:m@{server.url}", asked).generate(samples("a"))
        [file] = [path for path in tmp_path.rglob("*") if path.is_file()]
        whole = file.read_bytes()
        for left in (b"", whole[:20], b"\0" * len(whole)):
            file.write_bytes(left)
            assert load_endpoint(f"openai:m@{server.url}", asked).generate(samples("a")) == ["answer to a"]
            assert file.read_bytes() == whole
    assert server.asked["a"] == 4


def test_settings_that_contradict_themselves_are_refused():
    for wrong in (
        {"record": "a", "replay": "b"},
        {"cache": "a", "temperature": 1.0},
        {"concurrency": 0},
        {"deadline": float("nan")},
        {"prompt": "no place"},
        {"price_in": -1.0},
        {"max_tokens": 0},
        {"temperature": 3.0},
    ):
        with pytest.raises(ValueError):
            Settings(**wrong)
