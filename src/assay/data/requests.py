"""What a model that writes can be asked for without a question of one's own: to name a picture, to describe it.

The first wording of each is the one that is put when nothing else is said; models are trained on all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

DESCRIBE, NAME, SORT = "describe", "name", "sort"
ENGLISH, CHINESE = "en", "zh"

WORDINGS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    DESCRIBE: {
        ENGLISH: ("Describe the picture.", "describe this image", "What does the picture show?"),
        CHINESE: ("描述这张图片。", "这张图片是什么样的？"),
    },
    NAME: {
        ENGLISH: ("Name the picture.", "what is this?", "What is in the picture?"),
        CHINESE: ("说出图片的名称。", "这是什么？"),
    },
    SORT: {
        ENGLISH: ("Which category is it?", "what kind of thing is this?"),
        CHINESE: ("它属于哪一类？",),
    },
}


def request(skill: str, language: str = ENGLISH) -> str:
    """The usual wording. `ValueError` for a language in which there is none.

    >>> request("describe"), request("name", "zh")
    ('Describe the picture.', '说出图片的名称。')
    """
    if language not in WORDINGS[skill]:
        raise ValueError(f"there are no words to ask for this in {language!r}: there is {', '.join(WORDINGS[skill])}.")
    return WORDINGS[skill][language][0]
