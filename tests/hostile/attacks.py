"""The hostile submissions: their files, what each may earn, and how they are handed in."""

import os
import re
import runpy
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.processes import forsaken

HERE = Path(__file__).parent
COURSE = HERE / "course"
FAMILIES = ("forge", "steal", "break", "trip")
HONEST = ("honest-1", "honest-2", "honest-3")
GRADE = [sys.executable, "-c", "from graders.commands import main; main()", "grade"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
LEFT = "kata-hostile"
KEYS = ("Exercise", "Earns", "Flagged", "Says")


@dataclass(frozen=True)
class Attack:
    """One file of the corpus."""

    file: Path

    @property
    def name(self) -> str:
        return f"{self.file.parent.name}-{self.file.stem}"

    @cached_property
    def expectations(self) -> dict[str, str]:
        """What the docstring announces, by key."""
        docstring = self.file.read_text().split('"""')[1]
        found = dict(re.findall(r"^([A-Z][a-z]+): (.+)$", docstring, re.MULTILINE))
        unknown = set(found) - set(KEYS)
        assert not unknown, f"{self.file}: unknown {unknown}: use {', '.join(KEYS)}"
        return {"Exercise": "target", "Earns": "nothing", "Flagged": "", "Says": ""} | found

    @property
    def exercise(self) -> str:
        return f"vault/{self.expectations['Exercise']}"

    def may_pass(self, test: str) -> bool:
        """Whether the code passes this test by right."""
        earns = self.expectations["Earns"]
        if earns == "everything":
            return test != "test_guess"
        return test in earns.split(", ")

    def hand_in(self, folder: Path) -> None:
        """Writes the submission below `folder`."""
        if self.file.parent.name == "trip":
            runpy.run_path(str(self.file))["build"](folder / self.name)
            return
        target = folder / self.name / f"{self.exercise}.py"
        target.parent.mkdir(parents=True)
        shutil.copyfile(self.file, target)


ATTACKS = [Attack(file) for family in FAMILIES for file in sorted((HERE / family).glob("*.py"))]


def hand_in_honest(folder: Path) -> None:
    for name in HONEST:
        shutil.copytree(HERE / "honest", folder / name / "vault")


def leftovers() -> list[str]:
    """Processes of the sandbox that nobody answers for, files of attacks, and shared memory segments, as this user sees them."""
    found = []
    for process in forsaken():
        command = b" ".join(process.words)
        if process.sandboxed or LEFT.encode() in command:
            found.append(f"process {process.pid} {command[:200]!r}")
    for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", str(COURSE), str(Path.home())):
        for _, folders, files in os.walk(place):
            found += [f"{place}: {name}" for name in (*folders, *files) if LEFT in name]
    for kind in ("shm", "msg", "sem"):
        table = Path("/proc/sysvipc") / kind
        found += [f"{kind} {line}" for line in table.read_text().splitlines()[1:]] if table.exists() else []
    return found
