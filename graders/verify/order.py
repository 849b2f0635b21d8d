"""In which order a mutant meets the tests, so that most are noticed early: verdicts do not depend on it."""

from collections.abc import Iterable, Mapping

from graders.scoring import Result

FORK = 0.01  # seconds that a test costs whatever it does


def order_tests(reference: Iterable[Result], failed: Mapping[str, Iterable[Result]]) -> tuple[str, ...]:
    """All test functions of an exercise: next is always the one that catches most per second of what those before it let pass.

    Args:
        reference: results of the reference solution, with their durations.
        failed: by wrong submission, the tests that it fails.
    """
    seconds: dict[str, float] = {}
    for result in reference:
        name = _function(result)
        seconds[name] = seconds.get(name, FORK) + result.seconds
    caught: dict[str, set[str]] = {name: set() for name in seconds}
    for label, results in failed.items():
        for result in results:
            caught.setdefault(_function(result), set()).add(label)
    order: list[str] = []
    known: set[str] = set()
    while left := [name for name in seconds if name not in order]:
        best = max(left, key=lambda name: (1 + len(caught[name] - known)) / seconds[name])
        order.append(best)
        known |= caught[best]
    return tuple(order)


def _function(result: Result) -> str:
    return result.name.partition("[")[0]
