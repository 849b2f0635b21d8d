"""The JSON Schema of what graders write."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema


@cache
def score_schema() -> dict[str, Any]:
    """The schema of `kata.score/v1` in both views."""
    schema: dict[str, Any] = json.loads(files(__package__).joinpath("score-v1.schema.json").read_text(encoding="utf-8"))
    return schema


def check_scores(document: Any) -> None:
    """Accepts scores of either view.

    Raises:
        ValueError: naming the place and what is wrong there.
    """
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(score_schema()).iter_errors(document))
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "the document"
        raise ValueError(f"not kata.score/v1: {place}: {error.message[:300]}")
