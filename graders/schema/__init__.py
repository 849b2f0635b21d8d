"""The JSON Schema of what graders write."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema


@cache
def score_schema() -> dict[str, Any]:
    """The schema of `kata.score/v1` in both views."""
    return _schema("score-v1")


@cache
def run_schema() -> dict[str, Any]:
    """The schema of `kata.run/v1`."""
    return _schema("run-v1")


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(files(__package__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema


def check_scores(document: Any) -> None:
    """Accepts scores of either view.

    Raises:
        ValueError: naming the place and what is wrong there.
    """
    _check(document, score_schema())
    if said := _contradiction(document):
        raise ValueError(f"not kata.score/v1: {said}")


def check_run(document: Any) -> None:
    """Accepts the record of a run.

    Raises:
        ValueError: naming the place and what is wrong there.
    """
    _check(document, run_schema())


def _check(document: Any, schema: dict[str, Any]) -> None:
    name = schema["$id"]
    try:
        error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(document))
    except RecursionError:
        raise ValueError(f"not {name}: nested too deep") from None
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "the document"
        raise ValueError(f"not {name}: {place}: {error.message[:300]}")


def _contradiction(document: dict[str, Any]) -> str | None:
    """What the schema cannot say: the same exercises for all, and points that are numbers and at most their maximum."""
    of_class = document.get("exercises") if "submissions" in document else None
    for own in document["submissions"].values() if of_class is not None else [document]:
        if of_class is not None and set(own["exercises"]) != set(of_class):
            return "a submission has other exercises than the class"
        for record in (own, *own["exercises"].values()):
            if not (record["points"] <= record["max"] and record["pending"] >= 0):
                return "points above their maximum, or no numbers"
            if not all(test["points"] <= test["max"] for test in record.get("tests", ())):
                return "points of a test above their maximum, or no numbers"
    return None
