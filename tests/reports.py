"""Reports as the runner hands them over, made up: for tests of what reads them."""

import random
from pathlib import Path
from typing import Any

from graders.catalogue import Exercise, Limits

TOPICS = {
    "attention": ("scaled_dot_product_attention", "multi_head_attention", "kv_cache", "rotary_embedding"),
    "normalization": ("layer_norm", "batch_norm", "group_norm"),
    "optimization": ("optimizers", "gradient_clipping", "lr_schedules"),
    "convolution": ("im2col", "transposed_convolution"),
}
PROMISES = (
    ("numerics", "The result is right for any leading dimensions.", "the result has wrong values. compare the scale"),
    ("numerics", "Large inputs neither overflow nor turn into NaN.", "the result contains NaN. subtract the maximum"),
    ("numerics", "float16 is accepted and kept.", "the result has dtype torch.float32, not torch.float16"),
    ("gradients", "Gradients reach every input.", "the gradient of key has wrong values"),
    ("gradients", "The backward pass is right where the forward pass is flat.", ""),
    ("behaviour", "Inputs are left untouched.", "query was changed"),
    ("behaviour", "Arguments out of range are refused.", "eps=-1 was accepted: raise ValueError"),
    ("memory", "Memory grows with the length of the sequence, not with its square.", "needs a CUDA device"),
    ("throughput", "Fast enough to be vectorised: no Python loop over rows.", "right, but slower than the step"),
)


def exercise(path: str, points: float = 10.0, title: str | None = None, difficulty: str = "medium") -> Exercise:
    """An exercise of a catalogue, without files."""
    title = title or path.partition("/")[2].replace("_", " ").capitalize()
    return Exercise(Path(), path, title, "", "", difficulty, 30, points, (), "plan", (), (), (), (), Limits())


def entry(path: str, name: str, outcome: str = "passed", **more: Any) -> dict[str, Any]:
    """One entry of pytest-json-report's `tests`; `skip=` gives the reason of a skip, other keywords are properties."""
    topic, _, exercise_name = path.partition("/")
    longrepr, skip = more.pop("longrepr", ""), more.pop("skip", None)
    promise = more.pop("promise", f"{name} holds.")
    said = {"exercise": path, "category": "numerics", "points": 1.0, "promise": promise} | more
    call: dict[str, Any] = {"duration": random.random(), "outcome": outcome, "stdout": "printed by the judge"}
    if skip is not None:
        outcome, longrepr = "skipped", repr(("/machine/test.py", 7, f"Skipped: {skip}"))
    if outcome == "failed":
        longrepr = longrepr or "test.py:6: in test\nE   Broken: wrong values [at (0, 1): 3.25, expected 4.5]"
        said.setdefault("message", "the result has wrong values")
    if longrepr:
        call |= {"outcome": outcome, "longrepr": longrepr}
    return {
        "nodeid": f"hidden_tests/{topic}/test_{exercise_name}.py::{name}",
        "outcome": outcome,
        "setup": {"duration": random.random(), "outcome": "passed"},
        "call": call,
        "teardown": {"duration": random.random(), "outcome": "passed"},
        "user_properties": [{key: value} for key, value in said.items()],
    }


def report(
    tests: list[dict[str, Any]],
    *,
    submission: str = "alice",
    lane: str = "cpu",
    seed: str = "5eed",
    mode: str = "full",
    torch: str = "2.6.0",
    collectors: tuple[dict[str, Any], ...] = (),
    exercises: dict[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """One report; `exercises` adds to what is said of each exercise."""
    paths = [said["exercise"] for t in tests for said in t["user_properties"] if "exercise" in said]
    said = {path: facts() for path in paths}
    for path, more in (exercises or {}).items():
        said[path] = facts() | more
    return {
        "created": random.random(),
        "duration": random.random(),
        "exitcode": 1,
        "summary": {"total": len(tests)},
        "collectors": list(collectors),
        "tests": tests,
        "kata": {
            "schema": "kata.report/v1",
            "submission": submission,
            "lane": lane,
            "seed": seed,
            "mode": mode,
            "versions": {"deepkata": "0.1.0", "python": "3.11.2", "torch": torch, "numpy": "2.1.0"},
            "exercises": said,
        },
    }


def facts() -> dict[str, Any]:
    """What a report says of an exercise where nothing is special."""
    output = {"stdout": "printed by the candidate", "stderr": ""}
    return {"problem": None, "withheld": None, "flags": [], "source_sha256": "ab" * 32, "output": output}


def made_up_class(submissions: int, exercises: int, seed: int = 0) -> tuple[list[dict[str, Any]], dict[str, Exercise]]:
    """Reports of a class with talents from low to high, and its catalogue."""
    rng = random.Random(seed)
    names = [f"{topic}/{name}" for topic, group in TOPICS.items() for name in group]
    names += [f"topic_{i // 8}/exercise_with_a_name_{i}" for i in range(exercises)]
    catalogue = {path: exercise(path, rng.choice((5.0, 10.0, 15.0, 20.0))) for path in names[:exercises]}
    hardness = {path: rng.uniform(-0.15, 0.35) for path in catalogue}
    return [_made_up_report(rng, i, hardness) for i in range(submissions)], catalogue


def _made_up_report(rng: random.Random, index: int, hardness: dict[str, float]) -> dict[str, Any]:
    talent = rng.betavariate(4, 1.6)
    tests, said = [], {}
    for path, hard in hardness.items():
        missing = rng.random() < 0.04
        if missing:
            said[path] = {"problem": f"{path}.py is missing from what was handed in", "source_sha256": None}
        elif rng.random() < 0.02:
            said[path] = {"withheld": "line 14 calls torch.nn.functional.softmax, which this exercise forbids"}
        elif rng.random() < 0.03:
            said[path] = {"flags": ["line 9: getattr with a computed name could hide a call"]}
        for index_of_test, (category, promise, message) in enumerate(PROMISES):
            for case in range(2 if category == "numerics" else 1):
                properties = {"category": category, "promise": promise, "points": float(1 + index_of_test % 3)}
                name = f"test_{category}_{index_of_test}[case{case}]"
                if category == "memory":
                    tests.append(entry(path, name, skip=f"pending: {message}", **properties))
                elif not missing and rng.random() < talent - hard / 2 + 0.1:
                    tests.append(entry(path, name, **properties))
                else:
                    slow = {"credit": 0.25} if category == "throughput" and not missing else {}
                    tests.append(entry(path, name, "failed", message=message, longrepr=TRACEBACK, **properties, **slow))
    return report(tests, submission=f"{STUDENTS[index % len(STUDENTS)]}-{index:03d}", exercises=said)


STUDENTS = ("abara", "brandt", "castillo", "dimitrov", "eriksen", "farouk", "garcia", "hoang", "ivanova", "jensen")
TRACEBACK = """hidden_tests/attention/test_scaled_dot_product_attention.py:62: in test_boolean_mask
    assert_matches(candidate(call, query, key, value, mask), attention, query, key, value, mask, hint=hint)
graders/testing/checks.py:118: in assert_matches
    assert_close(mine, expected, tolerance=tolerance, what=name, hint=hint, dtype=demanded, per_row=per_row)
graders/testing/checks.py:83: in assert_close
    raise Broken(f"{what} has wrong values", hint, detail)
E   graders.testing.checks.Broken: the result has wrong values. mask the logits before the softmax; True means may \
attend [at (0, 1, 3, 2): 0.41870594, expected 0.39127541, tolerance 2.1e-06]"""
