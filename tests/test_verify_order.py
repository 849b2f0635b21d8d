"""The order in which mutants meet the tests."""

from graders.scoring import Result
from graders.verify.order import order_tests


def result(name: str, seconds: float = 0.0) -> Result:
    return Result("vault/target", name, "numerics", "passed", 1.0, 1.0, "", "", "", seconds=seconds)


def test_what_catches_most_per_second_comes_first() -> None:
    reference = [result("test_slow", 5.0), result("test_weak"), result("test_strong")]
    failed = {
        "reject_a": [result("test_slow"), result("test_strong")],
        "reject_b": [result("test_strong"), result("test_weak")],
        "reject_c": [result("test_slow")],
    }
    assert order_tests(reference, failed) == ("test_strong", "test_weak", "test_slow")


def test_what_is_caught_already_counts_no_more() -> None:
    reference = [result("test_twin[0]", 0.1), result("test_twin[1]", 0.1), result("test_other"), result("test_main")]
    failed = {
        "reject_a": [result("test_main"), result("test_twin[0]")],
        "reject_b": [result("test_main"), result("test_twin[1]")],
        "reject_c": [result("test_main"), result("test_twin[0]")],
        "reject_d": [result("test_other")],
    }
    assert order_tests(reference, failed) == ("test_main", "test_other", "test_twin")


def test_without_a_reference_there_is_no_order() -> None:
    assert order_tests([], {"reject_a": [result("test_main")]}) == ()
