"""Where an endpoint is and who asks: ``openai:MODEL@URL``, the key, and how neither key nor password ever comes out again."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from assay.client.settings import KEY_ENV

SCHEME = "openai:"
HIDDEN = "[redacted]"
SHORTEST = 6
"""A shorter secret is none, and taking it out would spoil answers that hold it by chance."""

SECRET_PARAMETERS = ("key", "api_key", "api-key", "apikey", "token", "access_token", "sig", "signature")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Secrets:
    """What must not appear in any byte that is written or printed."""

    values: tuple[str, ...] = field(default=(), repr=False)

    def clean(self, data: bytes) -> bytes:
        """The bytes without the secrets, in any of the forms in which a server may send them back."""
        for value in self.forms():
            data = data.replace(value.encode(), HIDDEN.encode())
        return data

    def text(self, text: str) -> str:
        """A text without the secrets."""
        for value in self.forms():
            text = text.replace(value, HIDDEN)
        return text

    def forms(self) -> list[str]:
        """The secrets as they are, within JSON and percent-encoded, the longest first."""
        kept = [value for value in self.values if len(value) >= SHORTEST]
        every = {form for value in kept for form in (value, json.dumps(value)[1:-1], quote(value, safe=""))}
        return sorted(every, key=len, reverse=True)


@dataclass(frozen=True)
class Address:
    """The model's name, the URL with its ``/v1`` and without credentials, and the header that carries these."""

    model: str
    url: str
    authorization: str = field(default="", repr=False)
    secrets: Secrets = field(default=Secrets(), repr=False)

    @property
    def name(self) -> str:
        """The model as it was named, fit to be shown."""
        return self.secrets.text(f"{SCHEME}{self.model}@{self.url}")

    @property
    def local(self) -> bool:
        """Whether the server is on this machine, where no proxy is to be asked."""
        return urlsplit(self.url).hostname in LOOPBACK

    def to(self, path: str) -> str:
        """The URL of one of its services."""
        parts = urlsplit(self.url)
        return parts._replace(path=parts.path + path).geturl()


def read_address(spec: str, key_env: str | None, environment: Mapping[str, str] = os.environ) -> Address:
    """The endpoint behind ``openai:MODEL@URL``; the key is that of the environment variable ``key_env``, or of `KEY_ENV` if it is set.

    `ValueError` for what is no such address, and for a named variable that is not set; neither repeats a secret.

    >>> read_address("openai:m@http://user:password@localhost:8000/v1/", None, {}).name
    'openai:m@http://localhost:8000/v1'
    """
    # A model's name may hold an @ of its own: the URL begins at the last one that is followed by a scheme.
    cut = max(spec.rfind("@http://"), spec.rfind("@https://"))
    model, url = spec[len(SCHEME) : max(cut, 0)], spec[cut + 1 :]
    parts = split_url(url) if cut > 0 else None
    if not model or parts is None:
        raise ValueError(
            "expected openai:MODEL@URL with the URL up to its version, as in openai:llava@http://localhost:8000/v1."
        )
    key = environment.get(key_env or KEY_ENV, "").strip()
    if key_env is not None and not key:
        raise ValueError(f"the environment variable {key_env} holds no key.")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError(f"the key in {key_env or KEY_ENV} holds spaces or characters that no key has.")
    secrets, authorization = [key], f"Bearer {key}" if key else ""
    if parts.username is not None or parts.password is not None:
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        basic = base64.b64encode(pair.encode()).decode()
        secrets += [pair.partition(":")[2], parts.password or "", basic]
        authorization = f"Basic {basic}"
    secrets += [value for name, value in parse_qsl(parts.query) if name.lower() in SECRET_PARAMETERS]
    clean = parts._replace(netloc=parts.netloc.rpartition("@")[2], path=parts.path.rstrip("/"), fragment="")
    return Address(model, clean.geturl(), authorization, Secrets(tuple(dict.fromkeys(filter(None, secrets)))))


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL with a host and a possible port, ``None`` for anything else."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return None
    return parts if usable and url.isprintable() and " " not in url else None
