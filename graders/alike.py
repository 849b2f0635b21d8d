"""The pairs of `kata similarity`, read again and made ready for the staff's report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graders.overview import display_name
from graders.scorefile import ScoreFileError
from graders.scoring import Scores, clean

SCHEMA = "kata.similarity/v1"
SHOWN = 100  # pairs of a page

Similarity = dict[str, Any]


def read_similarity(scores: Path) -> Similarity | None:
    """The pairs beside a file of scores or in the output folder of `kata grade`, or None where there are none.

    Raises:
        ScoreFileError: naming the file, the problem and the mend.
    """
    file = (scores if scores.is_dir() else scores.parent) / "similarity.json"
    try:
        found = json.loads(file.read_bytes())
        _check(found)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ScoreFileError(f"{file} cannot be read ({error.strerror}): check the path") from None
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise ScoreFileError(f"{file} is not {SCHEMA}: run `kata similarity` again, or delete the file") from None
    similarity: Similarity = found
    return similarity


def _check(found: Any) -> None:
    if found["schema"] != SCHEMA:
        raise ValueError("another schema")
    for path, own in found["exercises"].items():
        numbers = [own["more"], *([] if own["typical"] is None else [own["typical"]])]
        texts = [path]
        for pair in own["pairs"]:
            (one, other), (first, second) = pair["submissions"], pair["shares"]
            texts += [one, other, *pair["sha256"]]
            numbers += [first, second, pair["common"]]
            if not isinstance(pair["same"], bool):
                raise ValueError("neither true nor false")
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("no text")
        if not all(isinstance(number, int | float) and 0 <= number < 1e12 for number in numbers):
            raise ValueError("no number")


def current(similarity: Mapping[str, Any], scores: Scores) -> dict[str, list[dict[str, Any]]]:
    """By exercise the pairs whose files are those that `scores` are about: others were handed in anew since."""

    def graded(path: str, name: str) -> Any:
        own = scores["submissions"].get(name, {"exercises": {}})["exercises"]
        return own[path]["source_sha256"] if path in own else None

    return {
        path: [
            pair
            for pair in found["pairs"]
            if [graded(path, name) for name in pair["submissions"]] == list(pair["sha256"])
        ]
        for path, found in similarity["exercises"].items()
    }


def alike(similarity: Mapping[str, Any], scores: Scores, ids: Mapping[str, str]) -> dict[str, Any]:
    """A row for each pair, the most alike first; `ids` are the places of submissions on the page."""
    rows = []
    for path, pairs in current(similarity, scores).items():
        found = similarity["exercises"][path]
        for pair in pairs:
            rows.append(
                {
                    "path": clean(path),
                    "who": [(ids[name], display_name(name)) for name in pair["submissions"]],
                    "shares": [round(100 * share) for share in pair["shares"]],
                    "most": max(pair["shares"]),
                    "typical": round(100 * found["typical"]) if found["typical"] is not None else "",
                    "same": bool(pair["same"]),
                }
            )
    rows.sort(key=lambda row: (-row["most"], row["path"], row["who"]))
    more = sum(found["more"] for found in similarity["exercises"].values())
    return {"rows": rows[:SHOWN], "more": more + len(rows[SHOWN:])}
