"""``assay predict MODEL [--image F] [--audio F] [--text T] [--ask Q | --describe] [--choices a,b,c]``."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.cli.api import Api
from assay.cli.options import Command, arg
from assay.cli.output import print_json


@dataclass(frozen=True)
class Predict:
    """What a model says of a picture, a sound, a text, or several at once."""

    model: str = arg(
        "assay:aligned, assay:vqa, assay:captioner …, a model's folder, hf:NAME_OR_FOLDER, openai:MODEL@URL"
    )
    image: str | None = arg("a picture", default=None, metavar="FILE")
    audio: str | None = arg("a sound", default=None, metavar="FILE")
    text: str | None = arg("a text", default=None, metavar="TEXT")
    ask: str | None = arg("a question to answer", default=None, metavar="QUESTION")
    describe: bool = arg("ask for a description", default=False)
    language: str | None = arg("of the description: en, zh", default=None)
    choices: str | None = arg("what to choose from, with commas between", default=None, metavar="A,B,C")
    names: str = arg("the data whose names are looked through", default="emoji:all", metavar="DATA")
    k: int = arg("how many of each", default=5)
    json: bool = arg("print one JSON document", default=False)
    api: Api = field(default_factory=Api, metadata={"help": "for openai:MODEL@URL"})


def predict(options: Predict) -> int:
    """Prints the answer: a sentence first, then what speaks for it."""
    from assay import verbs
    from assay.reporting.text import one_line

    choices = [c.strip() for c in (options.choices or "").split(",") if c.strip()]
    if options.choices is not None and len(choices) < 2:
        raise ValueError(f"--choices needs at least two, with commas between; got {options.choices!r}.")
    if options.k < 1:
        raise ValueError(f"--k must be at least 1, got {options.k}.")
    if options.language is not None and not options.describe:
        raise ValueError("--language says in which language to --describe.")
    answer = verbs.predict(
        verbs.load_model(options.model, endpoint=options.api.settings(options.model)),
        image=options.image,
        audio=options.audio,
        text=options.text,
        ask=options.ask,
        describe=(options.language or True) if options.describe else False,
        choices=choices,
        names=options.names,
    ).shortened(options.k)
    if options.json:
        print_json(answer.as_json())
        return 0
    print(f"{answer.model} on {' + '.join(answer.given)}: {one_line(answer.sentence, 200)}")
    if answer.evidence:
        print(f"which rests on: {one_line(answer.evidence, 200)}")
    if answer.ignored:
        print(f"not used, the model does not take it: {', '.join(answer.ignored)}")
    for title, guesses in (("nearest names (cosine)", answer.names), ("choices (probability)", answer.classes)):
        if guesses:
            print(f"\n{title}")
            for guess in guesses:
                print(f"  {guess.score:6.3f}  {one_line(guess.label, 100)}")
    return 0


PREDICT = Command("predict", Predict, predict, "assay predict assay:aligned --image cat.png --choices cat,dog,car")
