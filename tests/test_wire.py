"""Whatever bytes and headers a server sends: an answer, `Malformed`, a time or none; never another error, never a secret."""

import json
import math
from functools import partial

import pytest

pytest.importorskip("httpx")

from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay import wire
from assay.client.address import Address, Secrets, read_address
from assay.client.endpoint import read_text, read_vector, read_weights
from assay.client.retry import backoff_s, fault_of, retry_after
from assay.stats.streams import stream

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
WORDS = """choices message content finish_reason refusal logprobs top_logprobs token logprob usage prompt_tokens
completion_tokens data embedding error code detail text type"""
KEYS = st.sampled_from(WORDS.split())
REPLIES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | REPLIES.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
@example(b'{"choices": [{"message": {"content": [{"text": null}, 3]}, "logprobs": {"content": [null]}}]}')
@example(b'{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{"top_logprobs": 3}]}}]}')
@example(b'{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{"top_logprobs": {"a": 1}}]}}]}')
@example(b'{"data": [{"embedding": [1e999]}]}')
@example(b'{"data": [{"embedding": [1' + b"0" * 400 + b"]}]}")
def test_any_reply_is_read_or_malformed(body):
    for read in (
        wire.read_chat,
        wire.read_embedding,
        read_text,
        read_vector,
        partial(read_weights, choices=("a", "b")),
    ):
        try:
            assert read(body) is not None
        except wire.Malformed as error:
            assert str(error)
    message, code = wire.error_of(body)
    assert isinstance(message, str) and isinstance(code, str) and "\n" not in wire.quoted(body)


HEADERS = st.text(max_size=40) | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(str)


@settings(max_examples=300, deadline=None)
@given(HEADERS, HEADERS, st.floats(0, 4e9))
@example("Fri, 31 Dec 9999 23:59:59 GMT", "", 0.0)
@example("Fri, 99 Dec 2025 23:59:59 GMT", "", 0.0)
@example("Mon, 01 Jan 0001 00:00:00 -9999", "1e400", 0.0)
@example("1e308", "1e308", 0.0)
def test_any_header_is_a_wait_or_none(given_s, given_ms, now):
    wait = retry_after({"retry-after": given_s, "retry-after-ms": given_ms}, now)
    assert wait is None or (wait >= 0 and math.isfinite(wait))
    if wait is not None:
        assert wait <= backoff_s(0, wait, stream(0)) <= wait + 1.0 + abs(wait) * 1e-9


@settings(max_examples=200, deadline=None)
@given(
    st.integers(100, 599),
    st.dictionaries(st.sampled_from(("retry-after", "retry-after-ms")), HEADERS),
    st.binary(max_size=60),
)
def test_any_status_is_a_fault_of_one_kind(status, headers, body):
    fault = fault_of(status, headers, body, now=0.0)
    assert fault.failure.kind and str(status) in fault.failure.message
    assert not (fault.again and fault.final)


SECRETS = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=6, max_size=20)


@settings(max_examples=200, deadline=None)
@given(SECRETS, st.text(max_size=20), st.text(max_size=20))
def test_no_form_of_a_secret_is_left(secret, before, after):
    secrets = Secrets((secret,))
    said = f"{before}{secret}{after}"
    for form in (said, json.dumps(said)):
        assert secret not in secrets.text(form).replace("[redacted]", "\0")
        data = form.encode("utf-8", "surrogatepass")
        assert secret.encode() not in secrets.clean(data).replace(b"[redacted]", b"\0")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
@example("openai:m@http://[::1")
@example("openai:a@b@http://u:p%zz@host:99999/v1")
@example("openai:m@http://host/v1?api_key=verysecret")
def test_any_name_is_an_address_or_a_users_mistake(spec):
    try:
        address = read_address(spec if spec.startswith("openai:") else f"openai:m@http://{spec}", None, {})
    except ValueError as error:
        assert "openai:MODEL@URL" in str(error) and "verysecret" not in str(error)
    else:
        assert isinstance(address, Address) and address.to(wire.CHAT) and "verysecret" not in address.name


def test_a_model_may_have_an_at_sign_in_its_name():
    address = read_address("openai:org/m@v2@https://api.example.com/v1?api-version=3", None, {})
    assert address.model == "org/m@v2" and address.to("/x") == "https://api.example.com/v1/x?api-version=3"


@pytest.mark.parametrize("key", ["a b", "k\n", "k\u00e9y"])
def test_what_is_no_key(key):
    if key.strip().isascii() and " " not in key.strip():
        assert read_address("openai:m@http://x/v1", "K", {"K": key}).authorization == f"Bearer {key.strip()}"
    else:
        with pytest.raises(ValueError, match="no key has"):
            read_address("openai:m@http://x/v1", "K", {"K": key})
