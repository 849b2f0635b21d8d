"""What tests that were not passed say; those that a reader cannot tell apart are one finding."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graders.scoring import clean, sentence

KEPT = ("passed", "flagged")
Test = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """How tests ended, in one word, and which promise they hold the candidate to; `message` as in the scores."""

    verdict: str
    category: str
    promise: str
    message: str

    def text(self, limit: int) -> str:
        return clean(sentence({"promise": self.promise, "message": self.message}), limit)


def findings(tests: Iterable[Test], messages: bool = True) -> dict[Finding, list[Test]]:
    """Findings in the order of their tests, pending ones included."""
    found: dict[Finding, list[Test]] = {}
    for test in tests:
        if test["outcome"] not in KEPT:
            message = test["message"] if messages else ""
            found.setdefault(Finding(verdict(test), test["category"], test["promise"], message), []).append(test)
    return found


def noted(record: Mapping[str, Any], messages: bool = True) -> list[Finding]:
    """All that is to say of a submission's exercise. Why nothing counts there stands for its tests."""
    said = [("problem", record["problem"]), ("withheld", record["withheld"])]
    barred = [Finding(word, "", "", text) for word, text in said if text]
    flags = [Finding("flag", "", "", text) for text in record["flags"]]
    return [*barred, *flags] if barred else [*flags, *findings(record["tests"], messages)]


def verdict(test: Test) -> str:
    """One word for a test that was not passed."""
    if test["outcome"] == "pending":
        return "pending"
    if test["outcome"] == "error":
        return "not judged"
    if test["points"]:
        return "slow" if test["category"] == "throughput" else "partly"
    return "broken"


def broken(tests: Iterable[Test]) -> dict[Finding, list[Test]]:
    """Findings that cost points."""
    return {finding: same for finding, same in findings(tests).items() if finding.verdict != "pending"}


def kept(tests: Iterable[Test]) -> list[str]:
    """Promises of which every test that ran was passed."""
    by_promise: dict[str, bool] = {}
    for test in tests:
        if test["outcome"] != "pending":
            by_promise[test["promise"]] = by_promise.get(test["promise"], True) and test["outcome"] in KEPT
    return [promise for promise, whole in by_promise.items() if whole]


def ranges(numbers: Iterable[int]) -> str:
    """`1-3 5` of 1, 2, 3 and 5."""
    return " ".join(f"{first}-{last}" if last > first else str(first) for first, last in _runs(sorted(numbers)))


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    for start, number in enumerate(numbers):
        if start == 0 or numbers[start - 1] != number - 1:
            end = start
            while end + 1 < len(numbers) and numbers[end + 1] == numbers[end] + 1:
                end += 1
            yield number, numbers[end]
