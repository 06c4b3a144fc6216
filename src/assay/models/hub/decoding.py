"""How the library's models write: the same each time, greedily or by beams.

What a checkpoint says of sampling is set aside; its ends, forced tokens and penalties stay. All of it is in the fingerprint.
"""

from __future__ import annotations

import copy
from typing import Any

from assay.models.hub.checkpoint import Checkpoint

LONGEST = 128  # tokens of an answer, unless the options say otherwise


def decoding_of(checkpoint: Checkpoint, tokenizer: Any) -> Any:
    """The generation settings of a checkpoint."""
    told: Any = copy.deepcopy(checkpoint.net.generation_config)
    options = checkpoint.options
    told.do_sample, told.num_beams, told.max_new_tokens = False, options.beams, options.max_tokens or LONGEST
    told.temperature = told.top_p = told.top_k = told.min_p = told.typical_p = None
    told.max_length = None
    told.num_return_sequences = 1
    if told.eos_token_id is None:
        told.eos_token_id = tokenizer.eos_token_id
    if told.pad_token_id is None:
        told.pad_token_id = pad_of(tokenizer, told)
    return told


def pad_of(tokenizer: Any, decoding: Any) -> int:
    """The token that fills up: the tokeniser's own, else an end."""
    if tokenizer.pad_token_id is not None:
        return int(tokenizer.pad_token_id)
    ends = ends_of(decoding)
    return ends[0] if ends else 0


def ends_of(decoding: Any) -> tuple[int, ...]:
    """The tokens at which writing stops."""
    ends = decoding.eos_token_id
    return () if ends is None else tuple(ends) if isinstance(ends, list | tuple) else (int(ends),)


def settings(decoding: Any) -> dict[str, Any]:
    """What decides the texts, for the fingerprint."""
    return {name: value for name, value in decoding.to_diff_dict().items() if name != "transformers_version"}
