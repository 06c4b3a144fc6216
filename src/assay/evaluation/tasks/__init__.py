"""The tasks that can be asked for by name; each makes a `Task` from a data set."""

from collections.abc import Mapping

from assay.evaluation.tasks import crossmodal, generating, labelling, recorded
from assay.evaluation.tasks.crossmodal import retrieval
from assay.evaluation.tasks.family import Family
from assay.evaluation.tasks.generating import captioning, captioning_zh, naming, naming_zh, saying, vqa
from assay.evaluation.tasks.labelling import classification, zeroshot
from assay.evaluation.tasks.recorded import scoring
from assay.evaluation.tasks.transcribing import transcription
from assay.types import Verb

FAMILIES: Mapping[Verb, Family] = {
    "embed": crossmodal.FAMILY,
    "generate": generating.FAMILY,
    "read": recorded.FAMILY,
    "score": labelling.FAMILY,
}

__all__ = [
    "FAMILIES",
    "captioning",
    "captioning_zh",
    "classification",
    "naming",
    "naming_zh",
    "retrieval",
    "saying",
    "scoring",
    "transcription",
    "vqa",
    "zeroshot",
]
