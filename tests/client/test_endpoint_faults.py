"""What a server can do wrong, and what becomes of the sample: asked again or not, an answer or a failure of the right kind."""

import asyncio
import gzip
import json
import time

import numpy as np
import pytest

pytest.importorskip("httpx")

from fault_server import KEY, Plan, answered, error, ok, serving

from assay.client.endpoint import BREAK, load_endpoint
from assay.client.retry import Gate
from assay.client.settings import Settings
from assay.stats.streams import stream
from assay.types import Failure, ModelStoppedError, Sample


def sample(question: str, name: str = "q") -> Sample:
    return Sample(name, {"text": question})


def one(plans, **settings):
    """The outcome of one question, the number of attempts, and the model."""
    with serving({"why?": plans}) as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(**settings))
        return model.generate([sample("why?")])[0], server.asked["why?"], model


MENDED = {
    "429 with seconds": error(429, retry_after="0"),
    "429 with a negative time": error(429, retry_after="-1"),
    "429 with no number": error(429, retry_after="nan"),
    "429 with infinity": error(429, retry_after="1e400"),
    "429 with a date gone by": error(429, retry_after="Thu, 01 Jan 1970 00:00:00 GMT"),
    "429 with milliseconds": error(429, retry_after_ms="5"),
    "429 without header": error(429),
    "408": error(408),
    "409": error(409),
    "425": error(425),
    "500": error(500),
    "502 with HTML": Plan(502, b"<html>bad gateway</html>", content_type="text/html"),
    "503": error(503),
    "504": error(504),
    "empty body": Plan(body=b""),
    "empty object": Plan(body=b"{}"),
    "HTML with 200": Plan(body=b"<html>welcome</html>", content_type="text/html"),
    "cut JSON": Plan(body=answered()[:40]),
    "NaN in it": Plan(body=answered().replace(b'"prompt_tokens": 10', b'"prompt_tokens": NaN')),
    "a key twice": Plan(body=answered().replace(b'{"id"', b'{"id": "y", "id"')),
    "no choices": Plan(body=b'{"choices": []}'),
    "null content": ok(None),
    "a list": Plan(body=b"[]"),
    "nested without end": Plan(body=b'{"a":' + b"[" * 100_000),
    "Latin-1": Plan(body=answered("caf\u00e9").replace(b"\\u00e9", b"\xe9")),
    "an error with 200": Plan(body=b'{"error": {"message": "overloaded"}}'),
    "reset": Plan(cut="reset"),
    "half a body": Plan(cut="half"),
    "a body shorter than promised": Plan(body=b"{}", headers={"content-length": "100"}, cut="half"),
    "a thousand digits": Plan(body=b'{"choices": ' + b"9" * 10_000 + b"}"),
}


@pytest.mark.parametrize("fault", MENDED)
def test_asked_again_and_answered(fault):
    answer, attempts, model = one([MENDED[fault], ok("because")])
    assert answer == "because" and attempts == 2
    assert model.spent()["requests"] == 2 and model.spent()["repeated"] == 1


FINAL = {
    "400": (error(400, "too many images"), "rejected", "too many images"),
    "404": (error(404, "no such model"), "rejected", "no such model"),
    "413": (error(413), "rejected", "413"),
    "422": (Plan(422, b'{"detail": "bad field"}'), "rejected", "bad field"),
    "501": (error(501), "rejected", "501"),
    "no credit": (error(429, "pay", "insufficient_quota", retry_after="0"), "out_of_credit", "pay"),
    "redirect": (Plan(302, b"", {"location": "http://169.254.169.254/"}), "redirected", "not followed"),
    "refusal": (ok(None, message={"refusal": "I cannot"}), "refused", "I cannot"),
    "filter": (ok("half", "content_filter"), "filtered", "half"),
    "length": (ok("it is bec", "length"), "truncated", "it is bec"),
}


@pytest.mark.parametrize("fault", FINAL)
def test_not_asked_again(fault):
    plan, kind, said = FINAL[fault]
    answer, attempts, _ = one([plan, ok("because")])
    assert isinstance(answer, Failure) and answer.kind == kind and said in answer.message and attempts == 1


ENDLESS = {
    "500": (error(500, "boom"), "server_error"),
    "429": (error(429, retry_after="0"), "rate_limited"),
    "broken": (Plan(body=b"{"), "broken_reply"),
    "reset": (Plan(cut="reset"), "connection"),
}


@pytest.mark.parametrize("fault", ENDLESS)
def test_given_up_after_so_many_attempts(fault):
    plan, kind = ENDLESS[fault]
    answer, attempts, _ = one([plan])
    assert isinstance(answer, Failure) and answer.kind == kind and attempts == Settings().attempts >= 3


def test_a_small_deadline_ends_silence_and_drips():
    for cut in ("silence", "drip"):
        begun = time.monotonic()
        answer, attempts, _ = one([Plan(cut=cut)], deadline=0.6)
        assert isinstance(answer, Failure) and answer.kind == "timeout" and attempts == 3
        assert time.monotonic() - begun < 5


def test_slower_than_an_attempt_may_be_then_answered():
    answer, attempts, _ = one([Plan(delay_s=5.0), ok("because")], deadline=1.5)
    assert answer == "because" and attempts == 2


def test_the_server_is_never_asked_before_it_says():
    with serving({"a": [error(429, retry_after="0.4"), ok("A")]}) as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(concurrency=1))
        assert model.generate([sample("a", "1"), sample("b", "2")]) == ["A", "answer to b"]
    moments = [moment for moment, _ in server.times]
    assert len(moments) == 3 and min(moments[1:]) - moments[0] >= 0.4


@pytest.mark.parametrize("asked", ["120", "86400", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_wait_beyond_the_deadline_is_not_waited_for(asked):
    begun = time.monotonic()
    answer, attempts, _ = one([error(429, "slow down", retry_after=asked)], deadline=30)
    assert isinstance(answer, Failure) and answer.kind == "rate_limited" and "deadline" in answer.message
    assert attempts == 1 and time.monotonic() - begun < 5


def test_nobody_is_asked_while_the_server_wants_to_be_left_alone():
    with serving(usual=lambda question: error(429, "come back tomorrow", retry_after="86400")) as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(deadline=30, concurrency=2))
        came = model.generate([sample(f"{i}?", str(i)) for i in range(10)])
    assert sum(server.asked.values()) <= 2
    assert all(isinstance(one, Failure) and "come back tomorrow" in one.message for one in came)


def test_a_gate_lets_more_through_again_after_it_let_fewer():
    async def crowd() -> list[int]:
        gate, seen = Gate(8, "m", stream(0)), []

        async def work() -> None:
            assert await gate.enter(asyncio.get_running_loop().time() + 30)
            seen.append(gate.under_way)
            await asyncio.sleep(0.002)
            gate.succeeded()
            gate.leave()

        gate.busy(0.0, "slow down")
        assert gate.limit == 4
        await asyncio.gather(*(work() for _ in range(300)))
        return seen

    seen = asyncio.run(crowd())
    assert max(seen[:4]) == 4 and max(seen) == 8 and max(seen[-40:]) == 8


def test_a_huge_body_is_not_taken_into_memory():
    answer, attempts, _ = one([Plan(body=b" " * (33 << 20))])
    assert isinstance(answer, Failure) and answer.kind == "too_large" and attempts == 1


def test_a_gzip_bomb_is_not_unpacked():
    bomb = gzip.compress(b"0" * (64 << 20), 9)
    answer, _, _ = one([Plan(body=bomb, headers={"content-encoding": "gzip"})])
    assert isinstance(answer, Failure) and answer.kind == "too_large"


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "\ufeffx", "\u202e\u2066", "a" * 100_000, "\ud800", "{0.__class__}", "٤٢"]
)
def test_any_text_comes_back_as_it_was_sent(text):
    assert one([ok(text)])[0] == text
    with serving() as server:
        said = load_endpoint(f"openai:m@{server.url}").generate([Sample("q", {"text": "x" + text})])[0]
    assert said == "answer to x" + text.replace("\ud800", "\ufffd")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_the_run_at_once(status):
    with serving(usual=lambda question: error(status, "who are you?")) as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(concurrency=4))
        with pytest.raises(ModelStoppedError, match=f"{status}: who are you.*OPENAI_API_KEY"):
            model.generate([sample(f"{i}?", str(i)) for i in range(1000)])
    assert sum(server.asked.values()) <= 8


def test_a_server_that_answers_nobody_stops_the_run():
    with serving(usual=lambda question: error(400, "no such model")) as server:
        model = load_endpoint(f"openai:m@{server.url}")
        with pytest.raises(ModelStoppedError, match=f"{BREAK} samples in a row"):
            model.generate([sample(f"{i}?", str(i)) for i in range(1000)])
    assert sum(server.asked.values()) < 100


def test_faults_in_a_row_are_failures_once_there_is_an_answer():
    bad = {f"{i}?": [error(400)] for i in range(BREAK - 1)}
    with serving(bad) as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(concurrency=1))
        came = model.generate([sample(f"{i}?", str(i)) for i in range(BREAK + 1)])
    assert [isinstance(one, Failure) for one in came] == [True] * (BREAK - 1) + [False] * 2


def test_nobody_listens():
    model = load_endpoint("openai:m@http://127.0.0.1:9/v1")
    assert model.generate([sample("why?")])[0].kind == "connection"


def test_every_answer_belongs_to_its_question_and_never_more_at_once_than_allowed():
    delays = np.random.default_rng(0).uniform(0, 0.01, 500)
    with serving(usual=lambda question: Plan(delay_s=delays[int(question)])) as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(concurrency=24))
        came = model.generate([sample(str(i), str(i)) for i in range(500)])
    assert came == [f"answer to {i}" for i in range(500)]
    assert 1 < server.most <= 24


def test_every_attempt_is_paid_for():
    empty = json.dumps({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 2}}).encode()
    _, _, model = one(
        [Plan(body=empty), Plan(body=answered(usage={"prompt_tokens": -5})), ok()], price_in=1e6, price_out=2e6
    )
    spent = model.spent()
    assert (spent["requests"], spent["input_tokens"], spent["output_tokens"]) == (2, 10, 2)
    assert spent["unmetered"] == 1 and spent["cost"] == pytest.approx(14.0)


def test_a_rate_limit_is_met_by_asking_less_at_once():
    limited = {"now": 0.0, "left": 5}

    def usual(question: str) -> Plan:
        moment = time.monotonic()
        if moment - limited["now"] > 0.2:
            limited.update(now=moment, left=5)
        limited["left"] -= 1
        return ok("yes") if limited["left"] >= 0 else error(429, retry_after="0.2")

    with serving(usual=usual) as server:
        model = load_endpoint(f"openai:m@{server.url}", Settings(concurrency=16))
        came = model.generate([sample(str(i), str(i)) for i in range(20)])
    assert came == ["yes"] * 20 and sum(server.asked.values()) <= 20 * 3


def test_the_key_and_the_password_are_sent_and_shown_nowhere(monkeypatch, capsys, caplog):
    caplog.set_level("DEBUG")
    monkeypatch.setenv("OTHER_KEY", KEY)
    echoed = [error(400, f"bad key {KEY}", x_echo=KEY), ok(f"you sent {KEY}")]
    for plan in echoed:
        with serving({"why?": [plan]}) as server:
            model = load_endpoint(f"openai:m@{server.url}", Settings(key_env="OTHER_KEY"))
            answer = model.generate([sample("why?")])[0]
        assert server.authorizations == {f"Bearer {KEY}"}
        shown = f"{answer} {model.name} {model.fingerprint} {vars(model)} {model.address} {capsys.readouterr()} {caplog.text}"
        assert KEY not in shown and KEY.replace("/", "\\/") not in shown and "[redacted]" in str(answer)
    with serving() as server:
        address = server.url.replace("http://", "http://me:hunter2pass@")
        model = load_endpoint(f"openai:m@{address}")
        model.generate([sample("why?")])
    assert server.authorizations == {"Basic bWU6aHVudGVyMnBhc3M="}
    assert "hunter2pass" not in f"{model.name} {model.address} {caplog.text}"


def test_a_key_that_is_none_is_refused_without_being_repeated(monkeypatch):
    monkeypatch.setenv("K", "two words")
    with pytest.raises(ValueError, match="spaces or characters that no key has") as caught:
        load_endpoint("openai:m@http://localhost/v1", Settings(key_env="K"))
    assert "two words" not in str(caught.value)
    with pytest.raises(ValueError, match="NOT_THERE holds no key"):
        load_endpoint("openai:m@http://localhost/v1", Settings(key_env="NOT_THERE"))


@pytest.mark.parametrize(
    "spec", ["openai:m", "openai:@http://x/v1", "openai:m@ftp://x", "openai:m@http://", "openai:m@http://x:y/"]
)
def test_what_is_no_address_is_told_with_an_example(spec):
    with pytest.raises(ValueError, match="openai:MODEL@URL"):
        load_endpoint(spec)
