"""The nouns that every room shares: samples, their media, conditions, models, estimates.

Shapes: image ``uint8[H, W, 3]`` RGB; audio ``float32[n]`` in [-1, 1] with ``rate_hz``; video
``uint8[T, H, W, 3]`` with ``fps``; embeddings ``float32[n, d]``; scores ``float32[n, k]``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

MODALITIES = ("text", "image", "audio", "video")

FloatArray = NDArray[np.float32]
Verb = str  # "embed" | "score" | "generate" | "detect"


class MediaError(ValueError):
    """A picture, a sound or a film that cannot be decoded; its message names the source and the reason."""


class ModelStoppedError(ValueError):
    """The model will answer nothing any more (a refused key, no server): the run stops, and what was answered is kept."""


class Failure(NamedTuple):
    """Why a sample has no answer: a kind to count by, and what exactly happened. A model may give it in the place of an answer."""

    kind: str
    message: str


class Media(Protocol):
    """One piece of non-text content, decoded when asked for and not before."""

    @property
    def modality(self) -> str:
        """``image``, ``audio`` or ``video``."""

    @property
    def source(self) -> str:
        """Where it comes from, for messages: a path, or a name inside a bundled file."""

    def load(self) -> NDArray[Any]:
        """The decoded array (shapes above). Raises `MediaError` when it is broken or beyond the limits."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One example: what a model is given, what is expected of it, and where it belongs.

    A modality that the data set does not hold for the sample is an absent key of ``inputs``. ``target`` and
    ``references`` never reach a model: `shown` strips them.

    >>> Sample("a", {"text": "red apple"}, target="food").modalities
    ('text',)
    """

    id: str
    inputs: Mapping[str, Media | str]
    target: Any = None
    references: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities present, in the order of `MODALITIES`."""
        return tuple(m for m in MODALITIES if m in self.inputs)

    def shown(self) -> Sample:
        """The sample as a model may see it: no target, no references, no groups."""
        return Sample(self.id, self.inputs)

    def with_inputs(self, inputs: Mapping[str, Media | str]) -> Sample:
        """The same sample with other inputs."""
        return replace(self, inputs=inputs)


Transform = Callable[[Sample, np.random.Generator], Sample]


def unchanged(sample: Sample, rng: np.random.Generator) -> Sample:
    """The transform that does nothing."""
    return sample


@dataclass(frozen=True, slots=True)
class Condition:
    """A named transform under which samples are asked again: ``clean``, ``drop:audio``, ``only:image``.

    ``samples`` are the ids of those that it can be asked of; ``None``: all that hold what its name speaks of.
    """

    name: str
    transform: Transform = unchanged
    samples: frozenset[str] | None = field(default=None, repr=False)


CLEAN = Condition("clean")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a net without running it. ``None`` is unknown, never 0."""

    parameters: int | None = None
    bytes: int | None = None
    flops: float | None = None


@runtime_checkable
class Model(Protocol):
    """Anything that answers for samples. What it can do is which of the protocols below it satisfies."""

    @property
    def name(self) -> str:
        """A short name for tables."""

    @property
    def modalities(self) -> frozenset[str]:
        """What it can take. Samples' other modalities are not shown to it."""

    @property
    def fingerprint(self) -> str:
        """A hash of what decides its answers (weights, configuration), so that a run can be resumed safely."""


@runtime_checkable
class Embeds(Model, Protocol):
    """A model with a space in which samples can be compared by inner product."""

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> FloatArray:
        """Unit vectors ``float32[n, d]``: of one modality, or (``None``) of all that is present, fused."""


@runtime_checkable
class Scores(Model, Protocol):
    """A model that weighs given choices."""

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]``, columns in the order of ``choices``."""


@runtime_checkable
class Generates(Model, Protocol):
    """A model that answers in words, or in another modality."""

    def generate(self, samples: Sequence[Sample], modality: str = "text") -> list[str | Media]:
        """One answer for each sample."""


@runtime_checkable
class Answers(Model, Protocol):
    """A model that answers in words and may be told the choices; it is not bound to them."""

    def answer(self, samples: Sequence[Sample], choices: Sequence[str]) -> list[str]:
        """One text for each sample; no choices where any text will do."""


@runtime_checkable
class Streams(Model, Protocol):
    """A model that answers every sample for itself, many at once, each as soon as it is done: an endpoint behind a network."""

    def stream(
        self, verb: Verb, samples: Iterable[Sample], *, choices: Sequence[str] = (), modality: str | None = None
    ) -> Generator[tuple[int, Any] | None, None, None]:
        """Each sample's place in ``samples``, from 0, with its answer by ``verb`` (one row, one vector, one text) or a `Failure`,
        in any order; ``None`` now and then while there is nothing new. Takes ``samples`` as it needs them. Raises
        `ModelStoppedError` when nothing more will come; those that were not given are not answered.
        """

    def spent(self) -> Mapping[str, float]:
        """What answering cost since the model was loaded: counts of requests and tokens, money, by name."""


@runtime_checkable
class Told(Model, Protocol):
    """A model whose answers were given elsewhere, one for each sample: it cannot be asked in another way, or again."""

    @property
    def told(self) -> frozenset[str]:
        """The ids of the samples that it has something for."""


@runtime_checkable
class Skilled(Generates, Protocol):
    """A model that writes and knows what it was trained to do on request."""

    @property
    def skills(self) -> tuple[str, ...]:
        """``ask`` (questions of any kind), and those of `assay.data.requests`: ``describe``, ``name``, ``sort``."""


@runtime_checkable
class Reasons(Generates, Protocol):
    """A model that says what its answers rest on."""

    def evidence(self, samples: Sequence[Sample]) -> list[str]:
        """For each sample, in words; empty where there is nothing to say."""


@runtime_checkable
class HasFacts(Model, Protocol):
    """A model that knows its own size."""

    def facts(self) -> Facts:
        """Parameters, bytes, FLOPs."""


@runtime_checkable
class Aligned(Embeds, Protocol):
    """A model that knows whether its modalities share one space, so that words find pictures."""

    @property
    def aligned_space(self) -> bool:
        """Whether embeddings of different modalities may be compared."""


@runtime_checkable
class Patches(Scores, Protocol):
    """A net whose parts can be made to give what they gave for other samples."""

    def patch(
        self, samples: Sequence[Sample], donors: Sequence[Sample], choices: Sequence[str]
    ) -> dict[str, FloatArray]:
        """For each part by its name, in the order of computation: `score` of ``samples`` while it gives what it gave for ``donors``,
        row by row."""


@runtime_checkable
class Integrates(Scores, Protocol):
    """A net that can be differentiated from a sample of nothing to a sample."""

    def integrated(
        self,
        samples: tuple[Sample, Sample],
        choices: Sequence[str],
        place: int,
        *,
        grid: tuple[int, int],
        pieces: Sequence[str],
    ) -> tuple[dict[str, NDArray[np.float64]], float]:
        """For a sample and its like with nothing in it: by modality what each cell ``[grid]`` of the picture and each piece of the text
        adds to the log-odds of ``choices[place]``; and the log-odds where the path starts. The parts sum to the difference."""


@runtime_checkable
class Classifies(Scores, Protocol):
    """A model that was trained for classes of its own."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of its head; empty where any choices will do."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its uncertainty and its recipe. Undefined is NaN (``null`` in JSON), never 0.

    ``n`` counts the units that the value rests on, ``n_missing`` those that were planned and failed;
    ``unit`` is the resampling unit; ``items`` are per-unit values where the metric has them.
    """

    metric: str
    value: float
    low: float
    high: float
    n: int
    n_missing: int = 0
    unit: str = "sample"
    slice: str = "all"
    condition: str = "clean"
    signature: str = ""
    items: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Plain values, without ``items``; NaN and infinities become ``None``."""
        plain: dict[str, Any] = {}
        for name in ("metric", "value", "low", "high", "n", "n_missing", "unit", "slice", "condition", "signature"):
            value = getattr(self, name)
            plain[name] = None if isinstance(value, float) and not np.isfinite(value) else value
        return plain
