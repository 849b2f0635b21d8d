"""What a candidate reads on another platform: points, and the promises that were broken, from `candidate_view`."""

from collections.abc import Iterator, Mapping
from typing import Any

from graders.scoring import clean, number, score_text, sentence

MOST = 12  # sentences of an exercise


def summary(view: Mapping[str, Any]) -> str:
    """`18 of 20 points`, and what is pending, in one sentence."""
    text = f"{number(view['points'], view['max'])} of {number(view['max'])} points"
    if view["pending"]:
        text += f"; {number(view['pending'])} more are pending: they could not be graded here and count neither way"
    return text + "."


def by_exercise(view: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each exercise as a heading with its points, and sentences on what was lost or is pending."""
    for path, record in sorted(view["exercises"].items()):
        said = complaints(record)
        more = [f"and {len(said) - MOST} more"] if len(said) > MOST else []
        yield f"{clean(path)}: {score_text(record)}", said[:MOST] + more


def complaints(record: Mapping[str, Any]) -> list[str]:
    """Sentences, each once, on what an exercise lost and on what is pending."""
    if reason := record["problem"] or record["withheld"]:
        return [clean(reason)]
    lost = [sentence(test) for test in record["tests"] if test["outcome"] in ("failed", "error")]
    pending = [f"pending: {sentence(test)}" for test in record["tests"] if test["outcome"] == "pending"]
    return list(dict.fromkeys(clean(text) for text in lost + pending))
