"""Cards of one's own: what they may say, and what is refused."""

import json

import pytest
from card_fakes import Says, clean, png

import assay
from assay.data.cards import read_card

# --- cards of one's own


CARD = """
title = "Our signs"
task = "vqa"
files = ["questions.csv", "."]
prompt = "{question}\\nAnswer with one word."
metrics = ["exact_match", "token_f1"]
unit = "image"
groups = ["kind"]

[fields]
image = "file"
answer = "says"
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "our-signs.toml").write_text(CARD)
    (tmp_path / "questions.csv").write_text(
        "file,question,says,kind\na.png,What?,stop,x\na.png,Colour?,red|scarlet,y\n"
    )
    (tmp_path / "a.png").write_bytes(png())
    return tmp_path


def test_a_card_of_ones_own(own):
    model = Says({"0": "stop", "1": "scarlet"})
    run = assay.evaluate(model, f"card:{own}/our-signs.toml")
    found = clean(run)
    assert (
        run.manifest.task == "our-signs" and found["exact_match"].value == 1.0 and found["exact_match"].unit == "image"
    )
    assert model.shown["1"] == "Colour?\nAnswer with one word."
    assert len(assay.load_dataset(f"{own}/our-signs.toml")) == 2
    assert len(assay.load_dataset(f"card:{own}/our-signs.toml,{own}")) == 2


@pytest.mark.parametrize(
    "change,problem",
    [
        (('task = "vqa"', 'task = "vqq"'), "unknown task 'vqq': did you mean vqa"),
        (('unit = "image"', 'units = "image"'), "a card has no 'units': did you mean unit"),
        (('title = "Our signs"', "title = 3"), "a text was expected under 'title'"),
        (('title = "Our signs"', ""), "'title' is missing"),
        (
            ('groups = ["kind"]', 'groups = ["kinds"]'),
            "no column 'kinds' .groups.kinds of the card.: did you mean kind",
        ),
        (('image = "file"', 'picture = "file"'), "unknown field 'picture'"),
        (('["exact_match"', '["exact_macth"'), "unknown metric 'exact_macth'"),
        (('["exact_match"', '["hit@1"'), "measures ranking"),
        (('unit = "image"', "circular = true"), "'circular' needs 'options'"),
        (('unit = "image"', "folds = 0"), "at least 1 fold"),
        (("[fields]", "[fields"), "cannot be read as a benchmark card"),
        (('files = ["questions.csv", "."]', 'files = ["none.csv", "."]'), "there is no file or folder"),
        (("{question}\\n", "{no}\\n{question}\\n"), None),
    ],
)
def test_cards_that_say_nothing_sensible(own, change, problem):
    place = own / "our-signs.toml"
    assert change[0] in CARD
    place.write_text(CARD.replace(*change))
    model = Says({"0": "stop", "1": "red"})
    if problem is None:
        assay.evaluate(model, f"card:{place}")
        assert model.shown["0"] == "What?\nAnswer with one word."
        return
    with pytest.raises(ValueError, match=problem):
        assay.evaluate(model, f"card:{place}")


def test_unknown_cards_tell_their_neighbours(tmp_path):
    with pytest.raises(ValueError, match="unknown benchmark card 'popes': did you mean pope"):
        assay.load_dataset("card:popes,x")
    with pytest.raises(ValueError, match="where are the files of pope"):
        assay.load_dataset("card:pope")
    with pytest.raises(ValueError, match="where are the files of pope"):
        assay.load_dataset("pope:")
    with pytest.raises(
        ValueError,
        match=r"there is no file or folder .*nothing .expected pope:DIR or pope:coco_pope_random.json,val2014",
    ):
        assay.load_dataset(f"pope:{tmp_path}/nothing")
    with pytest.raises(ValueError, match="cannot be read as a benchmark card"):
        read_card(tmp_path / "none.toml")


def test_several_choice_from_a_list_of_options(tmp_path):
    (tmp_path / "c.toml").write_text(
        'title = "t"\ntask = "vqa"\nfiles = ["q.jsonl"]\nprompt = "{q}\\n{options}"\noptions = ["choices"]\n'
        'metrics = ["multiple_choice"]\n[fields]\nanswer = "right"\n'
    )
    rows = [
        {"q": "Which?", "choices": ["cat", "dog"], "right": 1},
        {"q": "Which?", "choices": ["a", "b"], "right": "a"},
    ]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = clean(assay.evaluate(Says({"0": "(B) dog", "1": "b"}), f"card:{tmp_path}/c.toml"))
    assert found["multiple_choice"].value == 0.5
    rows[0]["right"] = 2
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(ValueError, match="line 1: the answer '2' is none of the options AB"):
        assay.load_dataset(f"card:{tmp_path}/c.toml")
