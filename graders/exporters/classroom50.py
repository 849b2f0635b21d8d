"""`result.json` of Classroom 50, schema `classroom50/result/v1`.

All its numbers are whole: an exercise is a test, with its points rounded so that parts and totals agree (`rounding`). Pending
points leave the maximum; an exercise that is pending altogether is left out, and of the others `pending` says how much.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from graders.errors import UserError
from graders.exporters.rounding import totals, whole_parts
from graders.scoring import Scores, candidate_view, clean, number, sentence

SCHEMA = "classroom50/result/v1"
TYPES = ("individual", "group")
MOST = 20  # sentences of an exercise
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")


class IdentityError(UserError):
    """What a submission is called on the platform is unknown or malformed. The message is for the user."""


@dataclass(frozen=True)
class Identity:
    """What Classroom 50 calls a submission; `when` is the instant of the submission."""

    classroom: str
    assignment: str
    owner: str
    submission: str
    commit: str
    release: str
    review: str
    when: str
    assignment_type: str = "individual"

    def __post_init__(self) -> None:
        if missing := [name for name, value in vars(self).items() if not value]:
            raise IdentityError(f"Classroom 50 needs {', '.join(missing)} of each submission: give it (see --help)")
        if not self.submission.startswith("submit/"):
            raise IdentityError(
                f"{clean(self.submission, 80)!r} is no submission of Classroom 50: its tag begins with submit/"
            )
        if not _TIME.fullmatch(self.when):
            raise IdentityError(f"{clean(self.when, 80)!r} is no instant in UTC: write it as 2026-09-30T12:00:00Z")


def identity_of(
    repository: Mapping[str, str], submission: str, classroom: str, assignment: str, assignment_type: str = "individual"
) -> Identity:
    """Of a repository that `ci/github/clone.py` fetched. The owner is the end of a name as Classroom 50 gives it,
    `<classroom>-<assignment>-<owner>`, or else the name of the submission."""
    name, prefix = repository["repository"].partition("/")[2], f"{classroom}-{assignment}-"
    when, sha, url = repository["committed"], repository["commit"], repository["url"]
    tag = repository.get("tag") or f"submit/{when.replace(':', '-')}-{sha[:7]}"
    commit = f"{url}/commit/{sha}"
    return Identity(
        classroom=classroom,
        assignment=assignment,
        owner=name[len(prefix) :] if name.lower().startswith(prefix.lower()) else submission,
        submission=tag,
        commit=commit,
        release=f"{url}/releases/tag/{quote(tag, safe='')}",
        review=commit,
        when=when,
        assignment_type=assignment_type,
    )


def classroom50_result(scores: Scores, name: str, identity: Identity) -> dict[str, Any]:
    """The result of one submission.

    Raises:
        ScoreError: there is no such submission.
    """
    exercises = [(path, own) for path, own in sorted(candidate_view(scores, name)["exercises"].items()) if own["max"]]
    parts = whole_parts([(own["points"], own["max"]) for _, own in exercises])
    score, most = totals(parts)
    return {
        "schema": SCHEMA,
        "classroom": identity.classroom,
        "assignment": identity.assignment,
        "assignment_type": identity.assignment_type,
        "owner": identity.owner,
        "submission": identity.submission,
        "commit": identity.commit,
        "release": identity.release,
        "review": identity.review,
        "datetime": identity.when,
        "score": score,
        "max-score": most,
        "tests": [_test(path, own, *part) for (path, own), part in zip(exercises, parts, strict=True)],
    }


def _test(path: str, record: Mapping[str, Any], score: int, most: int) -> dict[str, Any]:
    lost = (sentence(test) for test in record["tests"] if test["outcome"] in ("failed", "error"))
    said = (
        [record["problem"] or record["withheld"]]
        if record["problem"] or record["withheld"]
        else list(dict.fromkeys(lost))
    )
    result: dict[str, Any] = {"test-name": clean(path), "passed": score == most, "score": score, "max-score": most}
    if said:
        result["message"] = said[:MOST] + ([f"and {len(said) - MOST} more"] if len(said) > MOST else [])
    if record["pending"]:
        result["pending"] = number(record["pending"])
    return result
