"""The options of a model that is an endpoint, ``openai:MODEL@URL``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from assay.cli.options import arg

if TYPE_CHECKING:
    from assay.client.settings import Settings


SERVER = "server"


@dataclass(frozen=True)
class Api:
    """How an endpoint is asked; `assay.client.settings.Settings` says what each means. ``None`` is the default there."""

    concurrency: int | None = arg("requests under way at once (default: 16)", default=None)
    deadline: float | None = arg(
        "seconds for one sample, with all waits and repetitions (default: 600)", default=None, metavar="S"
    )
    key_env: str | None = arg(
        "the environment variable with the key (default: OPENAI_API_KEY)", default=None, metavar="NAME"
    )
    prompt: str | None = arg("what each text is put into, in the place of {}", default=None, metavar="TEXT")
    max_tokens: int | None = arg("tokens of one answer (default: the server's)", default=None)
    temperature: str | None = arg("of sampling, or server for the server's own (default: 0)", default=None, metavar="T")
    cache: str | None = arg("a folder of answers that need not be asked for again", default=None, metavar="DIR")
    record: str | None = arg("write all replies to this cassette", default=None, metavar="FILE")
    replay: str | None = arg("answer from this cassette, without any server", default=None, metavar="FILE")
    price_in: float | None = arg("price of a million tokens that are read", default=None)
    price_out: float | None = arg("price of a million tokens that are written", default=None)

    def settings(self, model: str, *, attempts: int = 1) -> Settings | None:
        """As settings, ``None`` where none was given. `ValueError` for a model that is no endpoint, and for what is no number."""
        given = {item.name: value for item in fields(self) if (value := getattr(self, item.name)) is not None}
        remote = model.startswith("openai:")
        if remote and attempts > 1:
            given["attempts"] = attempts
        if not given:
            return None
        if not remote:
            names = ", ".join("--" + name.replace("_", "-") for name in given)
            raise ValueError(f"{names}: for models named openai:MODEL@URL, not for {model}.")
        from assay.client.settings import Settings

        if "temperature" in given:
            given["temperature"] = None if given["temperature"] == SERVER else number(given["temperature"])
        return Settings(**given)


def number(text: str) -> float:
    """A temperature; `ValueError` for what is none."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"--temperature is a number from 0 to 2, or {SERVER}; got {text!r}.") from None
