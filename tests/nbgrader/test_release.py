"""The real nbgrader takes released notebooks, students see neither reference nor rubric, and nobody sees the hidden tests."""

import ast
import re
import shutil
import types

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from graders.catalogue import find_root, load_catalogue
from graders.exporters.graded_notebook import student_notebook
from graders.release import notebook as release
from graders.release.notebook import (
    MARKERS,
    ReleaseError,
    dump_notebook,
    rubric,
    solution_cell,
    source_notebook,
    write_notebooks,
)
from tests.nbgrader.conftest import (
    ASSIGNMENT,
    EXPLAIN,
    NAMES,
    ROOT,
    SOLUTION,
    TESTS,
    kata,
    nbgrader,
    read,
    rewrite,
    source_of,
)

CATALOGUE = load_catalogue(find_root(ROOT))
every_exercise = pytest.mark.parametrize("exercise", CATALOGUE.values(), ids=list(CATALOGUE))


def cells(notebook):
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}


@every_exercise
def test_the_source_notebook_keeps_the_formats_of_jupyter_and_nbgrader(exercise):
    notebook = nbformat.reads(dump_notebook(source_notebook(exercise)).decode(), as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    marks = {cell.id: cell.metadata.nbgrader for cell in notebook.cells}
    assert {mark.schema_version for mark in marks.values()} == {3}
    assert {mark.grade_id for mark in marks.values()} == {
        f"{exercise.path.replace('/', '__')}__{role}" for role in marks
    }
    kinds = {role: (mark.grade, mark.solution, mark.locked) for role, mark in marks.items()}
    assert kinds == {
        "question": (False, False, True),
        "setup": (False, False, True),
        "solution": (False, True, False),
        "tests": (True, False, True),
        "explain": (True, True, False),
    }
    assert marks["tests"].points == exercise.points


@every_exercise
def test_the_reference_solution_is_whole(exercise):
    """What the solution cell defines is what the solution defines, and the same code."""
    solution = exercise.solution.read_text()
    code = cells(source_notebook(exercise))["solution"]
    assert code.count("### BEGIN SOLUTION") == code.count("### END SOLUTION") == 1
    defined = {ast.dump(s) for s in ast.parse(code).body}
    for statement in ast.parse(solution).body[1:]:
        assert ast.dump(statement) in defined or "DISCUSSION" in ast.unparse(statement)
    module = types.ModuleType("notebook")
    exec(compile(code, "cell", "exec"), module.__dict__)


@every_exercise
def test_the_students_notebook_is_the_stub_and_the_question(exercise):
    student = cells(student_notebook(exercise))
    code = (
        student["solution"]
        .replace("# YOUR CODE HERE", "")
        .replace("raise NotImplementedError()", "raise NotImplementedError")
    )
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(exercise.stub.read_text()))
    assert student["explain"] == f"**In your own words:** {exercise.question}\n\nYOUR ANSWER HERE"
    for item in rubric(exercise, exercise.solution.read_text()):
        assert not any(item[:40] in text for text in student.values())
    assert not any(marker in text for marker in MARKERS for text in student.values())


@every_exercise
def test_no_notebook_holds_anything_of_the_hidden_tests(exercise):
    ours = exercise.public_tests.read_text() + exercise.solution.read_text() + exercise.toml.read_text()
    known = {" ".join(line.split()) for line in ours.splitlines()}
    hidden = {" ".join(line.split()) for line in exercise.hidden_tests.read_text().splitlines()} - known
    for notebook in (source_notebook(exercise), student_notebook(exercise)):
        text = "\n".join(cells(notebook).values())
        shown = {" ".join(line.split()) for line in text.splitlines()}
        assert not [line for line in hidden & shown if len(line) > 16]
        assert "hidden_tests" not in text


@every_exercise
def test_the_rubric_gives_a_point_for_each_paragraph_of_the_discussion(exercise):
    items = rubric(exercise, exercise.solution.read_text())
    notebook = source_notebook(exercise)
    explain = notebook["cells"][EXPLAIN]
    assert explain["metadata"]["nbgrader"]["points"] == len(items) >= 2
    text = cells(notebook)["explain"]
    assert text.startswith(f"**In your own words:** {exercise.question}\n\n### BEGIN SOLUTION\nRubric")
    assert re.findall(r"^(\d+)\. \(1 point\) .", text, re.MULTILINE) == [str(n + 1) for n in range(len(items))]


# What nbgrader makes of them.


def test_nbgrader_hands_out_the_students_notebook(released):
    for name in NAMES:
        handed_out = read(released / "release" / ASSIGNMENT / f"{name}.ipynb")
        exercise = next(e for e in CATALOGUE.values() if e.name == name)
        ours = student_notebook(exercise)
        assert cells(handed_out) == cells(ours)
        for theirs, mine in zip(handed_out["cells"], ours.cells, strict=True):
            assert theirs["metadata"] == mine.metadata
    assert (released / "release" / ASSIGNMENT / "graders" / "testing" / "plugin.py").is_file()


def test_nbgrader_validates_the_source_and_not_the_stub(released):
    name = f"{ASSIGNMENT}/mlp_forward.ipynb"
    said = " ".join(nbgrader(released, "validate", f"source/{name}", f"release/{name}").split())
    assert "Success! Your notebook passes all the tests." in said
    assert "VALIDATION FAILED ON 2 CELL(S)!" in said


def test_nbgrader_autogrades_them(released, tmp_path):
    course = tmp_path / "course"
    shutil.copytree(released, course)
    for student in ("alice", "bob"):
        shutil.copytree(course / "release" / ASSIGNMENT, course / "submitted" / student / ASSIGNMENT)
    solved = source_of(course / "source" / ASSIGNMENT / "mlp_forward.ipynb", SOLUTION)
    wrong = solved + "\n\ndef mlp_forward(*_, **__):\n    return None\n"
    for student, code in (("alice", solved), ("bob", wrong)):
        file = course / "submitted" / student / ASSIGNMENT / "mlp_forward.ipynb"
        rewrite(file, lambda found, code=code: found[SOLUTION].update(source=code))
    nbgrader(course, "autograde", ASSIGNMENT, "--notebook", "mlp_forward")
    scores = {}
    for student in ("alice", "bob"):
        graded = read(course / "autograded" / student / ASSIGNMENT / "mlp_forward.ipynb")
        outputs = graded["cells"][TESTS]["outputs"]
        result = next(o["data"]["text/plain"] for o in outputs if o["output_type"] == "execute_result")
        scores[student] = float("".join(result))
        said = "".join(next(o for o in outputs if o["output_type"] == "stream")["text"])
        assert ("BROKEN" in said) == (student == "bob")
    assert scores["alice"] == 10.0 > scores["bob"]


# What cannot be released.


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    kata("release", "--notebook", "a", "mlp_forward", "--out", tmp_path)
    kata("release", "--notebook", "b", "mlp_forward", "--out", tmp_path)
    assert "is not empty: choose another assignment" in kata(
        "release", "--notebook", "a", "dropout", "--out", tmp_path, code=2
    )
    assert sorted(p.name for p in (tmp_path / "a").glob("*.ipynb")) == ["mlp_forward.ipynb"]


@pytest.mark.parametrize("name", ["", "a+b", "../a", "a/b", ".a", "a ", "x" * 129, "a\nb"])
def test_a_name_that_nbgrader_does_not_take_is_refused(tmp_path, name):
    with pytest.raises(ReleaseError, match="an assignment cannot be called"):
        write_notebooks(name, [CATALOGUE["foundations/mlp_forward"]], tmp_path)


def test_two_exercises_of_one_name_are_refused(tmp_path):
    twins = [CATALOGUE["foundations/mlp_forward"]] * 2
    with pytest.raises(ReleaseError, match="have the same name: put them into different assignments"):
        write_notebooks("a", twins, tmp_path)


def test_data_travel_with_the_tests_that_load_them(tmp_path):
    write_notebooks("a", [CATALOGUE["convolution/digit_cnn"]], tmp_path)
    assert (tmp_path / "a" / "data" / "digits.npz").read_bytes() == (ROOT / "exercises/data/digits.npz").read_bytes()
    assert (tmp_path / "a" / "data" / "README.md").is_file()  # with the licence


def test_a_solution_that_no_notebook_can_be_made_of_is_named():
    exercise = CATALOGUE["foundations/mlp_forward"]
    region = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    with pytest.raises(ReleaseError, match="has no DISCUSSION: write the interview answer"):
        rubric(exercise, region)
    with pytest.raises(ReleaseError, match="put that function or method last"):
        solution_cell(exercise, region + "\n\nLAST = 1\n")


def test_markers_are_those_of_the_stubs():
    assert set(release.MARKERS) == {"BEGIN SOLUTION", "END SOLUTION", "BEGIN REFERENCE ONLY", "END REFERENCE ONLY"}
