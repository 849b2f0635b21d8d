"""Which submissions are alike, exercise by exercise, for a human to judge; never a score.

copydetect turns a file into fingerprints: every 25 characters of its code after names, strings, comments and layout were taken
out (`self` and what is built in keep their names). Those of the stub are taken away, so that what everybody was handed counts
nowhere; of the rest, the share that another submission holds as well is what is told. Short exercises have one obvious answer:
`typical`, the share that two submissions of the exercise have in common in the middle of the class, says how little a high
share means there.

`similarity.json`, schema `kata.similarity/v1`, beside the scores; the staff's report shows its pairs:

    {"schema": "kata.similarity/v1",
     "exercises": {"<topic>/<name>": {
        "compared": 98,                              submissions with enough code of their own
        "typical": 0.41,                             the median of the larger shares of all pairs, null without a pair
        "left_out": {"<submission>": "<reason>"},
        "pairs": [{"submissions": ["ada", "bob"],    at most MOST, the most alike first
                   "shares": [0.97, 0.88],           of the first's own code in the second, and the other way round
                   "common": 512,                    characters of the first's own code that are in the second, names as one
                   "same": false,                    the files are the same bytes
                   "sha256": ["…", "…"]}],           of the files that were compared
        "more": 0}}}                                 pairs that are not listed
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from graders.alike import SCHEMA
from graders.catalogue import Exercise
from graders.errors import UserError
from graders.source import Source

LENGTH = 25  # characters of a fingerprint, copydetect's default
SHARE, COMMON = 0.8, 200  # of own code, and characters, from which a pair is told
LONGEST = 50_000  # characters of a file: no answer comes near it, and a class of them stays in memory
MOST = 50  # pairs of an exercise


class SimilarityError(UserError):
    """Nothing can be compared. The message is for the user."""


@dataclass(frozen=True)
class Own:
    """What a submission's file holds beyond the stub: fingerprints in the order of their places in `length` characters."""

    name: str
    digest: str
    fingerprints: np.ndarray[Any, np.dtype[np.int64]]
    places: np.ndarray[Any, np.dtype[np.int64]]
    length: int


def compare(files: Mapping[Exercise, Mapping[str, Source]]) -> dict[str, Any]:
    """Pairs of submissions that are alike, as `kata.similarity/v1`.

    Args:
        files: by exercise and submission, what was handed in.

    Raises:
        SimilarityError: copydetect is not installed.
    """
    return {"schema": SCHEMA, "exercises": {e.path: _exercise(e, own) for e, own in files.items()}}


def dumps(similarity: Mapping[str, Any]) -> str:
    return json.dumps(similarity, sort_keys=True, indent=1, separators=(",", ": "), allow_nan=False) + "\n"


def _exercise(exercise: Exercise, sources: Mapping[str, Source]) -> dict[str, Any]:
    stub = exercise.stub.read_bytes()
    handed_out = set(_fingerprints(stub.decode("utf-8"))[0].tolist())
    left_out: dict[str, str] = {}
    compared = []
    for name, source in sorted(sources.items()):
        reason = _reason(source, stub)
        if reason is None:
            own = _own(name, source.content, handed_out)
            if _covered(np.ones((1, len(own.places)), dtype=bool), own)[0] >= COMMON:
                compared.append(own)
                continue
            reason = "hardly anything beyond the stub"
        left_out[name] = reason
    found = list(_pairs(compared))
    listed = sorted(
        (pair for pair in found if max(pair["shares"]) >= SHARE and pair["common"] >= COMMON),
        key=lambda pair: (-max(pair["shares"]), -min(pair["shares"]), pair["submissions"]),
    )
    return {
        "compared": len(compared),
        "typical": round(float(np.median([max(pair["shares"]) for pair in found])), 4) if found else None,
        "left_out": left_out,
        "pairs": listed[:MOST],
        "more": max(len(listed) - MOST, 0),
    }


def _reason(source: Source, stub: bytes) -> str | None:
    """Why a file is not compared, if so."""
    if source.problem:
        return source.problem
    if source.content == stub:
        return "the stub as it was"
    if len(source.content) > LONGEST:
        return f"longer than {LONGEST:,} characters"
    return None


def _own(name: str, content: bytes, handed_out: set[int]) -> Own:
    found, places, length = _fingerprints(content.decode("utf-8", "replace"))
    kept = ~np.isin(found, list(handed_out))
    return Own(name, hashlib.sha256(content).hexdigest(), found[kept], places[kept], length)


def _fingerprints(text: str) -> tuple[Any, Any, int]:
    """Fingerprints of a text in order, their places, and how many characters are left of it.

    All of them, not the sample that copydetect takes by default: that depends on Python's hashes and differs between runs. Its
    own way to leave out boilerplate is not used because it takes whatever a file repeats for boilerplate as well.
    """
    try:
        from copydetect import CodeFingerprint
    except ImportError:
        raise SimilarityError("copydetect is not installed: pip install 'deepkata[similarity]'") from None
    made = CodeFingerprint("submission.py", LENGTH, 1, fp=io.StringIO(text))
    pairs = sorted((place, value) for value, where in made.hash_idx.items() for place in where)
    places, values = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    return values, places, len(made.filtered_code)


def _pairs(compared: Sequence[Own]) -> Iterator[dict[str, Any]]:
    """Every two submissions, with what they share."""
    if not compared:
        return
    vocabulary = np.unique(np.concatenate([own.fingerprints for own in compared]))
    numbers = [np.searchsorted(vocabulary, own.fingerprints) for own in compared]
    holds = np.zeros((len(compared), len(vocabulary)), dtype=bool)
    for i, mine in enumerate(numbers):
        holds[i, mine] = True
    common = np.zeros((len(compared), len(compared)), dtype=np.int64)  # characters of the first that the second holds
    for i, own in enumerate(compared):
        common[i] = _covered(holds[:, numbers[i]], own)
    for i, j in combinations(range(len(compared)), 2):
        one, other = compared[i], compared[j]
        yield {
            "submissions": [one.name, other.name],
            "shares": [round(float(common[i, j] / common[i, i]), 4), round(float(common[j, i] / common[j, j]), 4)],
            "common": int(common[i, j]),
            "same": one.digest == other.digest,
            "sha256": [one.digest, other.digest],
        }


def _covered(held: Any, own: Own) -> Any:
    """For each row of `held`, how many characters of `own` lie in fingerprints that the row marks."""
    change = np.zeros((len(held), own.length + 1), dtype=np.int32)
    change[:, own.places] += held
    change[:, own.places + LENGTH] -= held
    return (np.cumsum(change, axis=1) > 0).sum(axis=1)
