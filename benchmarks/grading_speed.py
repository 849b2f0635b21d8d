"""How fast grading is, as ratios measured in one run on one machine, medians of interleaved repeats.

Contestants, on the same submissions and the same hidden tests:
- kata: `kata grade`, every submission in the sandbox;
- pytest: bare `pytest` with a JSON report, one process per submission, no isolation from the tests;
- nbgrader: `nbgrader autograde` of notebooks whose test cells run the same tests in the kernel;
- floor: all tests of all submissions in one pytest process, no isolation at all.

CPU time is that of the whole machine (jobs that the kernel ends are in nobody's account), so nothing else may run beside it.

Run `python benchmarks/grading_speed.py` (about half an hour), or with `--json` for one JSON object on the last line.
"""

import argparse
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from graders.catalogue import Exercise, load_catalogue  # noqa: E402

LIGHT = (
    "foundations/activations",
    "normalization/layer_norm",
    "attention/scaled_dot_product_attention",
    "attention/multi_head_attention",
)
WHOLE = (
    *LIGHT,
    "optimization/optimizers",
    "regularization/dropout",
    "foundations/sigmoid_network_backprop",
    "convolution/digit_cnn",
    "training/data_pipeline",
    "training/checkpointing",
    "research/model_comparison",
    "attention/subquadratic_attention",
)
PR_SET_CHILD_SUBREAPER = 36
TESTS_FAIL = (0, 1)
NOT_TIMED = "not throughput and not memory"
RUN_IN_KERNEL = """
import pytest
from pathlib import Path
def grade(name):
    return pytest.main([f"{TESTS}/{name}", "-q", "-m", MARKS, "-p", "graders.testing.plugin", "-p", "no:cacheprovider",
                        "--import-mode=importlib", "-c", f"{ROOT}/pyproject.toml", "-o", "addopts="])
"""


@dataclass
class Cost:
    """Seconds of one run: on the wall, and of CPU of the whole machine meanwhile."""

    wall: float
    cpu: float


def measure(command: Sequence[str], folder: Path, environment: dict[str, str], accept: Sequence[int] = (0,)) -> Cost:
    """Runs a command to its end and to that of all processes it leaves behind; stops at an exit status not in `accept`."""
    # nbgrader looks for its own programs on the path.
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    before, start = busy(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=os.environ | path | environment, capture_output=True, text=True)
    wall = time.perf_counter() - start
    if done.returncode not in accept:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    while True:  # orphans come to this process, which is their subreaper
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    return Cost(wall, busy() - before)


def busy() -> float:
    """Seconds that all processors together have spent in programs and in the kernel on their behalf."""
    user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def submissions(exercises: Sequence[Exercise], count: int, folder: Path) -> list[Path]:
    """`count` submissions made of references and calibration files, each different from the next."""
    made = [folder / f"s{number:02d}" for number in range(count)]
    for exercise in exercises:
        bank = sorted(exercise.calibration.glob("reject_*.py"))
        sources = islice(cycle([exercise.solution, *bank]), count)
        for place, source in zip(made, sources, strict=True):
            (place / exercise.topic).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place / f"{exercise.path}.py")
    return made


def with_tests(exercises: Sequence[Exercise], works: Sequence[Path], folder: Path) -> list[Path]:
    """The same submissions with the hidden tests beside each file, as a process without isolation needs them."""
    made = []
    for work in works:
        place = folder / work.name
        shutil.copytree(work, place)
        for exercise in exercises:
            shutil.copyfile(exercise.hidden_tests, place / exercise.topic / f"test_{exercise.name}.py")
        made.append(place)
    return made


def pytest_command(places: Sequence[Path], marks: str) -> list[str]:
    options = ["-q", "-m", marks, "-p", "graders.testing.plugin", "-p", "no:cacheprovider", "--import-mode=importlib"]
    report = ["--json-report", "--json-report-file", os.devnull]
    return [
        sys.executable,
        "-m",
        "pytest",
        *options,
        *report,
        "-c",
        f"{ROOT}/pyproject.toml",
        "-o",
        "addopts=",
        *map(str, places),
    ]


def kata(works: Path, without: Sequence[str], scratch: Path) -> Callable[[], Cost]:
    def run() -> Cost:
        out = Path(tempfile.mkdtemp(dir=scratch))  # nothing to go on from
        left_out = [word for category in without for word in ("--without", category)]
        command = [
            sys.executable,
            "-c",
            "from graders.commands import main; main()",
            "grade",
            str(works),
            "--out",
            str(out),
        ]
        return measure([*command, *left_out], ROOT, {})

    return run


def one_process_each(places: Sequence[Path], marks: str) -> Callable[[], Cost]:
    def run() -> Cost:
        costs = [
            measure(pytest_command([place], marks), ROOT, {"OMP_NUM_THREADS": "1"}, TESTS_FAIL) for place in places
        ]
        return Cost(sum(c.wall for c in costs), sum(c.cpu for c in costs))

    return run


def floor(places: Sequence[Path], marks: str) -> Callable[[], Cost]:
    return lambda: measure(pytest_command(places, marks), ROOT, {"OMP_NUM_THREADS": "1"}, TESTS_FAIL)


def nbgrader(exercises: Sequence[Exercise], works: Sequence[Path], folder: Path, marks: str) -> Callable[[], Cost]:
    """A course with one notebook; each solution cell writes the file that the tests beside it import."""
    _course(exercises, works, folder, marks)
    return lambda: measure([*_nbgrader(), "autograde", "bench", "--force"], folder, {"OMP_NUM_THREADS": "1"})


def _nbgrader() -> list[str]:
    return [sys.executable, "-m", "nbgrader"]


def _course(exercises: Sequence[Exercise], works: Sequence[Path], folder: Path, marks: str) -> None:
    import nbformat

    folder.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'bench'\nc.CourseDirectory.root = {str(folder)!r}\n"
        "c.ExecutePreprocessor.timeout = 600\nc.ClearSolutions.code_stub = {'python': 'raise NotImplementedError'}\n"
    )
    setup = RUN_IN_KERNEL.replace("{TESTS}", "tests").replace("MARKS", repr(marks)).replace("{ROOT}", str(ROOT))

    def notebook(sources: Sequence[str]) -> nbformat.NotebookNode:
        cells = [nbformat.v4.new_code_cell("from pathlib import Path\nPath('tests').mkdir(exist_ok=True)")]
        for exercise, source in zip(exercises, sources, strict=True):
            text = f"Path('tests/{exercise.topic}').mkdir(exist_ok=True)\n"
            cells.append(_cell(text + f"Path('tests/{exercise.path}.py').write_text({source!r})", exercise.name, False))
        cells.append(_cell(setup, "setup", False))
        for exercise in exercises:
            test = f"tests/{exercise.topic}/test_{exercise.name}.py"
            write = f"Path({test!r}).write_text({exercise.hidden_tests.read_text()!r})\n"
            check = f"assert grade('{exercise.topic}/test_{exercise.name}.py') == 0"
            cells.append(_cell(write + check, f"test_{exercise.name}", True))
        return nbformat.v4.new_notebook(cells=cells)

    (folder / "source" / "bench").mkdir(parents=True)
    empty = notebook(["" for _ in exercises])
    nbformat.write(empty, folder / "source" / "bench" / "work.ipynb")
    measure([*_nbgrader(), "generate_assignment", "bench", "--create"], folder, {})
    for work in works:
        place = folder / "submitted" / work.name / "bench"
        place.mkdir(parents=True)
        nbformat.write(notebook([(work / f"{e.path}.py").read_text() for e in exercises]), place / "work.ipynb")


def _cell(source: str, name: str, is_test: bool) -> object:
    import nbformat

    cell = nbformat.v4.new_code_cell(source)
    kind = {"grade": is_test, "solution": not is_test, "locked": is_test, "task": False}
    cell.metadata["nbgrader"] = kind | {"schema_version": 3, "grade_id": name} | ({"points": 1} if is_test else {})
    return cell


def interleaved(contestants: dict[str, Callable[[], Cost]], repeats: int) -> dict[str, list[Cost]]:
    """Each contestant in turn, `repeats` times."""
    costs: dict[str, list[Cost]] = {name: [] for name in contestants}
    for repeat in range(repeats):
        for name, run in contestants.items():
            costs[name].append(run())
            last = costs[name][-1]
            print(f"{repeat + 1}/{repeats} {name}: {last.wall:.1f} s wall, {last.cpu:.1f} s CPU", flush=True)
    return costs


def ratio(above: list[Cost], below: list[Cost], what: str) -> float:
    """The median of the ratios of runs that stood beside each other."""
    return statistics.median(getattr(a, what) / getattr(b, what) for a, b in zip(above, below, strict=True))


def light(catalogue: dict[str, Exercise], count: int, repeats: int, scratch: Path) -> Iterator[tuple[str, float]]:
    exercises = [catalogue[path] for path in LIGHT]
    works = submissions(exercises, count, scratch / "light")
    places = with_tests(exercises, works, scratch / "light_tests")
    costs = interleaved(
        {
            "light kata": kata(scratch / "light", ("throughput", "memory"), scratch),
            "light floor": floor(places, NOT_TIMED),
            "light pytest": one_process_each(places, NOT_TIMED),
            "light nbgrader": nbgrader(exercises, works, scratch / "course", NOT_TIMED),
        },
        repeats,
    )
    yield "light_pytest_over_kata_wall", ratio(costs["light pytest"], costs["light kata"], "wall")
    yield "light_nbgrader_over_kata_wall", ratio(costs["light nbgrader"], costs["light kata"], "wall")
    yield "light_kata_over_floor_cpu", ratio(costs["light kata"], costs["light floor"], "cpu")


def whole(catalogue: dict[str, Exercise], count: int, repeats: int, scratch: Path) -> Iterator[tuple[str, float]]:
    exercises = [catalogue[path] for path in WHOLE]
    works = submissions(exercises, count, scratch / "whole")
    places = with_tests(exercises, works, scratch / "whole_tests")
    costs = interleaved(
        {
            "whole kata": kata(scratch / "whole", ("throughput",), scratch),
            "whole floor": floor(places, "not throughput"),
        },
        repeats,
    )
    yield "full_kata_over_floor_cpu", ratio(costs["whole kata"], costs["whole floor"], "cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--light", type=int, default=24, metavar="N", help="submissions of the light assignment")
    parser.add_argument(
        "--whole", type=int, default=6, metavar="N", help="submissions of the whole assignment; 0 for none"
    )
    chosen = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    catalogue = load_catalogue(ROOT)
    with tempfile.TemporaryDirectory(prefix="kata-bench-") as folder:
        found = dict(light(catalogue, chosen.light, chosen.repeats, Path(folder))) if chosen.light else {}
        if chosen.whole:
            found |= dict(whole(catalogue, chosen.whole, chosen.repeats, Path(folder)))
    for name, value in found.items():
        print(f"{name}: {value:.2f}")
    if chosen.json:
        print(json.dumps({name: round(value, 3) for name, value in found.items()}))


if __name__ == "__main__":
    main()
