"""Which figures stand beside each other: models that took other directions of retrieval by one that all took."""

from report_fakes import estimate

from assay.reporting import selection
from assay.reporting.content import BASELINE, ModelCard, ReportContent, Score

WAYS = {"aligned": ("image->text", "text->image", "audio->text"), "pixels": ("image->text", "text->image")}


def content(ways):
    found = []
    for place, (model, directions) in enumerate(ways.items()):
        parts = {"all": 0.1 * place, **{f"direction={way}": 0.5 + 0.1 * place for way in directions}}
        parts["style=noto & direction=audio->image"] = 0.9
        found += [
            Score(model, "retrieval", "emoji", estimate(value, metric="hit@1", slice=name), True, "higher", (0.0, 1.0))
            for name, value in parts.items()
        ]
    cards = (ModelCard("aligned"), ModelCard("pixels", BASELINE))
    return ReportContent(title="", models=cards, scores=tuple(found))


def shown(board):
    return {row.label: round(row.cells[0].estimate.value, 2) for group in board.groups for row in group.rows}


def test_unlike_directions_are_compared_by_one_that_all_took():
    made = content(WAYS)
    board = selection.headline_board(made, "retrieval")
    assert board.title == "retrieval: hit@1, image→text" and shown(board) == {"aligned": 0.5, "pixels": 0.6}
    assert selection.metrics_board(made, "retrieval").title.endswith("each over the directions that the model takes")
    other = content({"aligned": ("audio->text", "text->audio"), "pixels": ("text->audio",)})
    assert selection.headline_board(other, "retrieval").title == "retrieval: hit@1, text→audio"


def test_like_directions_and_none_in_common_are_compared_over_all():
    for ways in (dict.fromkeys(WAYS, WAYS["pixels"]), {"aligned": ("audio->text",), "pixels": ("text->image",)}):
        board = selection.headline_board(content(ways), "retrieval")
        assert board.title == "retrieval: hit@1" and shown(board) == {"aligned": 0.0, "pixels": 0.1}
