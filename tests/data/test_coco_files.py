"""COCO's and VQA's files: what is read, in which order, and what is refused with file and record."""

import json

import numpy as np
import pytest

from assay.data.readers.coco import read_coco_captions, read_coco_categories, read_coco_detection, read_vqa

IMAGES = [{"id": 30}, {"id": 4}, {"id": 12}]
CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 18, "name": "dog"}]
BOX = {"image_id": 30, "category_id": 18, "bbox": [1, 2, 3, 4.5], "area": 9.5, "iscrowd": 1}
FOUND = {"image_id": 12, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.5}
INSTANCES = {"images": IMAGES, "annotations": [BOX], "categories": CATEGORIES}


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return written


def test_detections_come_by_image_in_the_order_of_the_ids(write):
    results = [FOUND, FOUND | {"image_id": 4, "score": 1}, FOUND | {"bbox": [1, 1, 2, 2], "score": 0.5}]
    predicted, targets, ids = read_coco_detection(write("r.json", results), write("a.json", INSTANCES))
    assert ids == [4, 12, 30]
    assert [len(one["scores"]) for one in predicted] == [1, 2, 0]
    assert predicted[1]["boxes"].tolist() == [[0, 0, 5, 5], [1, 1, 2, 2]]
    assert predicted[0]["labels"].tolist() == [1]
    assert targets[2]["boxes"].tolist() == [[1, 2, 3, 4.5]]
    assert (targets[2]["labels"].tolist(), targets[2]["crowd"].tolist(), targets[2]["area"].tolist()) == (
        [18],
        [True],
        [9.5],
    )
    assert targets[0]["boxes"].shape == (0, 4)
    assert targets[0]["boxes"].dtype == np.float64


def test_no_results_and_no_areas(write):
    bare = {key: value for key, value in BOX.items() if key not in ("area", "iscrowd")}
    annotations = write("a.json", INSTANCES | {"annotations": [bare]})
    predicted, targets, _ = read_coco_detection(write("r.json", []), annotations)
    assert all(len(one["boxes"]) == 0 for one in predicted)
    assert "area" not in targets[2]
    assert targets[2]["crowd"].tolist() == [False]


def test_masks_in_place_of_boxes(write):
    runs = {"size": [4, 3], "counts": [2, 3, 7]}
    outlined = INSTANCES | {"annotations": [BOX | {"segmentation": runs}]}
    result = {"image_id": 30, "category_id": 18, "score": 0.5, "segmentation": runs}
    predicted, targets, _ = read_coco_detection(write("r.json", [result]), write("a.json", outlined), iou="masks")
    assert predicted[2]["masks"].tolist() == targets[2]["masks"].tolist() == [runs]
    assert "boxes" not in targets[2]
    polygons = write("p.json", INSTANCES | {"annotations": [BOX | {"segmentation": [[1, 1, 2, 2, 3, 1]]}]})
    with pytest.raises(ValueError, match=r"p\.json: annotations\[0\]: polygons are not drawn here"):
        read_coco_detection(write("r.json", [result]), polygons, iou="masks")
    with pytest.raises(ValueError, match="iou of boxes or masks"):
        read_coco_detection(write("r.json", []), polygons, iou="segm")


def test_names_of_categories(write):
    assert read_coco_categories(write("a.json", INSTANCES)) == {1: "cat", 18: "dog"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 5}, r"r\.json: results\[1\]: image_id 5 is not in .*a\.json"),
        ({"image_id": None}, r"results\[1\]: 'image_id' is missing"),
        ({"image_id": 1.5}, r"results\[1\]: 'image_id' as an integer"),
        ({"category_id": 3}, r"results\[1\]: category_id 3 is not in the categories"),
        ({"bbox": [1, 2, 3]}, r"results\[1\]: 'bbox' as \[x, y, width, height\]"),
        ({"bbox": "1234"}, r"results\[1\]: 'bbox' as"),
        ({"bbox": [1, 2, 3, None]}, r"results\[1\]: 'bbox': a number was expected, not None"),
        ({"bbox": [1, 2, 3, "4"]}, r"results\[1\]: 'bbox': a number was expected, not '4'"),
        ({"bbox": [1, 2, float("nan"), 4]}, r"results\[1\]: 'bbox': a finite number was expected, not nan"),
        ({"bbox": [1, 2, 3, 10**400]}, r"results\[1\]: 'bbox': a finite number"),
        ({"score": float("inf")}, r"results\[1\]: 'score': a finite number"),
        ({"score": True}, r"results\[1\]: 'score': a number"),
        ({"score": None}, r"results\[1\]: 'score' is missing"),
    ],
)
def test_a_wrong_result_is_named(write, change, message):
    with pytest.raises(ValueError, match=message):
        read_coco_detection(write("r.json", [FOUND, FOUND | change]), write("a.json", INSTANCES))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"a\.json: this is no JSON"),
        ([], r"a\.json: an object with the list 'images' was expected, not a list"),
        ({"images": []}, r"the list 'annotations' was expected, not an object with 'images'"),
        (INSTANCES | {"annotations": [1]}, r"annotations\[0\]: an object was expected, not a number"),
        (INSTANCES | {"images": [*IMAGES, {"id": 4}]}, r"images\[3\]: id 4 occurs already in images\[1\]"),
        (INSTANCES | {"annotations": [BOX | {"iscrowd": "no"}]}, r"annotations\[0\]: 'iscrowd' as 0 or 1"),
        (INSTANCES | {"annotations": [BOX, BOX | {"area": None}]}, r"annotations\[1\]: 'area' is missing"),
    ],
)
def test_wrong_annotations_are_named(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_coco_detection(write("r.json", []), write("a.json", content))


def test_results_are_a_list(write):
    with pytest.raises(ValueError, match=r"r\.json: a list of results was expected, not an object"):
        read_coco_detection(write("r.json", {}), write("a.json", INSTANCES))


def captioned(image, text):
    return {"image_id": image, "caption": text}


def test_captions_of_the_images_that_have_one(write):
    annotations = {"images": IMAGES, "annotations": [captioned(30, "a"), captioned(4, "b"), captioned(30, "c \ud800")]}
    results = [captioned(30, "x"), captioned(4, "")]
    found = read_coco_captions(write("r.json", results), write("a.json", annotations))
    assert found == ([4, 30], ["", "x"], [["b"], ["a", "c \ud800"]])


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([captioned(30, "x"), captioned(30, "y")], r"results\[1\]: image_id 30 occurs already in results\[0\]"),
        ([captioned(12, "x")], r"results\[0\]: image 12 has no reference caption"),
        ([captioned(5, "x")], r"results\[0\]: image_id 5 is not in"),
        ([captioned(30, None)], r"results\[0\]: 'caption' is missing"),
        ([captioned(30, 7)], r"results\[0\]: 'caption' as a string"),
    ],
)
def test_wrong_captions_are_named(write, results, message):
    annotations = {"images": IMAGES, "annotations": [captioned(30, "a")]}
    with pytest.raises(ValueError, match=message):
        read_coco_captions(write("r.json", results), write("a.json", annotations))


QUESTION = {
    "question_id": 7,
    "image_id": 1,
    "question_type": "what",
    "answers": [{"answer": "red"}, {"answer": "blue"}],
}


def test_answers_to_questions(write):
    annotations = {"annotations": [QUESTION, QUESTION | {"question_id": 3, "answers": ["two"]}]}
    results = [{"question_id": 3, "answer": "2"}, {"question_id": 7, "answer": "red"}]
    questions = {"questions": [{"question_id": i, "question": f"{i}?"} for i in (3, 7)]}
    paths = write("r.json", results), write("a.json", annotations), write("q.json", questions)
    ids, answers, human, groups = read_vqa(*paths)
    assert (ids, answers, human) == ([7, 3], ["red", "2"], [["red", "blue"], ["two"]])
    assert groups == {"image_id": [1, 1], "question_type": ["what", "what"], "question": ["7?", "3?"]}
    assert "question" not in read_vqa(*paths[:2])[3]


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([], r"r\.json: 1 of 1 questions of .*a\.json have no answer, the first is question 7"),
        ([{"question_id": 8, "answer": "x"}], r"results\[0\]: question_id 8 is not in"),
        ([{"question_id": 7, "answer": "x"}] * 2, r"results\[1\]: question_id 7 occurs already"),
    ],
)
def test_wrong_answers_are_named(write, results, message):
    with pytest.raises(ValueError, match=message):
        read_vqa(write("r.json", results), write("a.json", {"annotations": [QUESTION]}))
    with pytest.raises(ValueError, match=r"annotations\[0\]: 'answers' as a list"):
        wrong = write("b.json", {"annotations": [QUESTION | {"answers": []}]})
        read_vqa(write("r.json", [{"question_id": 7, "answer": "x"}]), wrong)
