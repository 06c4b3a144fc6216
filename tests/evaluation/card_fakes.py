"""Models and pictures for tests of benchmark cards."""

import io

import numpy as np
from PIL import Image


def png(colour=(255, 0, 0), size=(4, 3)):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


class Says:
    """A model that answers each sample by its id and condition-free script; texts it was shown are kept."""

    name, modalities, fingerprint = "says", frozenset({"text", "image"}), "says"

    def __init__(self, answers):
        self.answers = answers
        self.shown = {}

    def generate(self, samples, modality="text"):
        self.shown |= {s.id: s.inputs.get("text") for s in samples}
        return [self.answers[s.id] for s in samples]


def clean(run):
    return {e.metric: e for e in run.estimates if e.slice == "all" and e.condition == "clean"}


class Embeds:
    """A model that embeds by a table: a picture by its red, a text by itself."""

    name, modalities, fingerprint = "embeds", frozenset({"text", "image"}), "embeds"

    def __init__(self, texts, pictures):
        self.texts, self.pictures = texts, pictures

    def embed(self, samples, modality=None):
        rows = [
            self.texts[s.inputs["text"]]
            if "text" in s.inputs
            else self.pictures[int(s.inputs["image"].load()[0, 0, 0])]
            for s in samples
        ]
        vectors = np.array(rows, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
