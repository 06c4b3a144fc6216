"""Other ways to put the questions of easy-VQA, so that a net answers what people ask and not 107 sentences."""

from __future__ import annotations

import re

COLOURS = "black|blue|brown|gray|green|red|teal|yellow"
SHAPES = "circle|rectangle|triangle"
ASKED = (
    (
        r"what (?:color is the shape|is the color of the shape)",
        ("what color is it", "which color is this", "what is its color"),
    ),
    (
        rf"what (?:color is|is the color of) the ({SHAPES})",
        (r"which color does the \1 have", r"what color does the \1 have"),
    ),
    (rf"what is the ({COLOURS}) shape", (r"which shape is \1", r"what shape is the \1 one")),
    (r"what shape .*", ("which shape is it", "what shape is this", "what kind of shape do you see")),
    (rf"is there a ({COLOURS}) shape.*", (r"is it \1", r"is the shape \1", r"do you see a \1 shape")),
    (rf"is there a ({SHAPES}).*", (r"is it a \1", r"is the shape a \1", r"do you see a \1")),
    (rf"is there not a ({COLOURS}) shape.*", (r"is it not \1", r"is the shape not \1")),
    (rf"is there not a ({SHAPES}).*", (r"is it not a \1", r"is the shape not a \1")),
)
"""For questions of a form (without their question mark) the same in other words."""

SPELLED = (("color", "colour"), ("gray", "grey"), ("image", "picture"))


def wordings(question: str) -> tuple[str, ...]:
    """A question first as it is, then reworded, in British spelling, about a picture, with a capital, without its mark.

    >>> wordings("what color is the triangle?")[:3]
    ('what color is the triangle?', 'which color does the triangle have?', 'what color does the triangle have?')
    """
    plain = question.rstrip("?")
    told = [plain]
    for form, others in ASKED:
        found = re.fullmatch(form, plain)
        if found:
            told += [found.expand(other) for other in others]
    spelled = [respelled(text) for text in told]
    every = dict.fromkeys([f"{text}?" for text in (*told, *spelled)])
    every |= dict.fromkeys(f"{text[0].upper()}{text[1:]}?" for text in spelled)
    every |= dict.fromkeys(spelled)
    return tuple(every)


def respelled(text: str) -> str:
    """British, and of a picture."""
    for here, there in SPELLED:
        text = text.replace(here, there)
    return text
