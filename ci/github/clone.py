"""Fetches the repositories of a class: those of an organisation whose names match a pattern, or those of a roster.

    python ci/github/clone.py --organization ORG --pattern 'attention-*' --out build/submissions --list build/repositories.json
    python ci/github/clone.py --organization ORG --roster roster.csv --out build/submissions --list build/repositories.json

A roster is a CSV file with the columns `student` and `repository`; a repository is `name`, `owner/name` or a link. Names of
repositories and cells of rosters are written by others: they are checked before anything is done with them. The token is
$KATA_TOKEN; it reaches git by the environment, never by a command line or a file.
"""

import argparse
import base64
import csv
import fnmatch
import io
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from api import OWNER, REPOSITORY, SERVER, Api, note, warn

from graders.errors import UserError
from graders.exporters.repositories import SCHEMA, read_repositories
from graders.files import write_atomically
from graders.scoring import clean

STUDENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,79}")
AT_ONCE, PATIENCE = 6, 300  # clones, and seconds that one may take
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


class ClassError(UserError):
    """A roster or a pattern that names no class. The message is for the user."""


def by_pattern(api: Api, organization: str, pattern: str) -> dict[str, str]:
    """Repositories (owner/name) by submission: those of the organisation whose names match.

    Raises:
        ClassError: none does.
    """
    owner = _checked(OWNER, organization, "--organization")
    names = (entry.get("name") for entry in api.pages(f"/orgs/{owner}/repos"))
    found = sorted(name for name in names if isinstance(name, str) and fnmatch.fnmatchcase(name, pattern))
    if not found:
        raise ClassError(
            f"no repository of {owner} matches {pattern!r}: check the pattern, and that the token may see them"
        )
    for name in found:
        if not REPOSITORY.fullmatch(name):
            warn(f"{clean(name, 80)!r} is left out: no name for a folder")
    return {name: f"{owner}/{name}" for name in found if REPOSITORY.fullmatch(name)}


def by_roster(text: str, file: str, organization: str) -> dict[str, str]:
    """Repositories (owner/name) by student.

    Raises:
        ClassError: naming the row, the problem and the mend.
    """
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error as error:
        raise ClassError(f"{file} is no CSV ({error}): save it as comma-separated values") from None
    columns = [cell.lower() for cell in rows[0]] if rows else []
    if "student" not in columns or "repository" not in columns:
        raise ClassError(f"{file}: its first row lacks the columns student and repository: add it")
    found: dict[str, str] = {}
    taken = dict[str, int]()
    for number, row in enumerate(rows[1:], 2):
        if not any(row):
            continue
        cells = dict(zip(columns, row, strict=False))
        place = f"{file}, row {number}"
        student = _checked(STUDENT, cells.get("student", ""), place)
        if (before := taken.setdefault(student.lower(), number)) != number:
            raise ClassError(f"{place}: {student} stands in row {before} as well: a student has one row")
        found[student] = _repository(cells.get("repository", ""), organization, place)
    if not found:
        raise ClassError(f"{file} names no student: add a row for each")
    return found


def _repository(cell: str, organization: str, place: str) -> str:
    """owner/name of a cell."""
    if "://" in cell and cell.isprintable():  # what parses links drops line breaks in silence
        cell = urlsplit(cell).path.strip("/").removesuffix(".git")
    owner, _, name = cell.rpartition("/")
    return f"{_checked(OWNER, owner or organization, place)}/{_checked(REPOSITORY, name, place)}"


def _checked(pattern: re.Pattern[str], text: str, place: str) -> str:
    if not pattern.fullmatch(text):
        raise ClassError(
            f"{place}: {clean(text, 80)!r} cannot be a name there: use letters, digits and . _ - (of students also @ +)"
        )
    return text


def fetch(repository: str, folder: Path, server: str, token: str) -> dict[str, str]:
    """Replaces `folder` by the files of the default branch, without its history.

    Returns:
        What `graders.exporters.repositories` says of a repository.

    Raises:
        ClassError: git's last word, or that the repository is empty.
    """
    draft = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    url = f"{server}/{repository}"
    try:
        _git(
            server,
            token,
            "clone",
            "--quiet",
            "--depth=1",
            "--single-branch",
            "--no-tags",
            "--",
            f"{url}.git",
            str(draft),
        )
        head = _git(
            server, token, "-C", str(draft), "rev-parse", "--quiet", "--verify", "HEAD^{commit}", empty="it is empty"
        )
        date = ("log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ")
        when = _git(server, token, "-C", str(draft), *date)
        tags = _git(server, token, "-C", str(draft), "ls-remote", "--quiet", "--tags", "origin", "refs/tags/submit/*")
        shutil.rmtree(draft / ".git")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    pointing = sorted(line.split("\t")[1] for line in tags.splitlines() if line.startswith(f"{head}\t"))
    named = {"tag": pointing[-1].removeprefix("refs/tags/").removesuffix("^{}")} if pointing else {}
    committed = when if INSTANT.fullmatch(when) else "1970-01-01T00:00:00Z"  # a date that the candidate made up
    return {"repository": repository, "url": url, "commit": head, "committed": committed} | named


def _git(server: str, token: str, *arguments: str, empty: str = "") -> str:
    """What git says, with no configuration but this, no other protocol, no prompt and no filters."""
    settings = {"credential.helper": "", "core.hooksPath": "/dev/null", "advice.detachedHead": "false"}
    if token:
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        settings[f"http.{server}/.extraheader"] = f"Authorization: Basic {basic}"
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for index, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    environment |= {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_TERMINAL_PROMPT": "0",
    }
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_LFS_SKIP_SMUDGE": "1"}
    environment["GIT_ALLOW_PROTOCOL"] = urlsplit(server).scheme
    try:
        done = subprocess.run(
            ("git", *arguments), env=environment, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise ClassError(f"not fetched within {PATIENCE} s: is it very large?") from None
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ClassError(
            empty or f"git could not fetch it ({clean(words, 200)}): check the name and what the token may see"
        )
    return done.stdout.decode(errors="replace").strip()


def fetch_class(
    repositories: dict[str, str], out: Path, server: str, token: str
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """What was fetched, and why the others were not, by submission."""
    out.mkdir(parents=True, exist_ok=True)

    def one(item: tuple[str, str]) -> tuple[str, dict[str, str] | str]:
        name, repository = item
        try:
            return name, fetch(repository, out / name, server, token)
        except (ClassError, OSError) as error:
            return name, f"{repository}: {error}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = dict(pool.map(one, repositories.items()))
    fetched = {name: said for name, said in done.items() if isinstance(said, dict)}
    return fetched, {name: said for name, said in done.items() if isinstance(said, str)}


def of_earlier_run(out: Path, listed: Path) -> set[str]:
    """Submissions that an earlier run left in `out`.

    Raises:
        ClassError: something else is there, which is not for this program to replace.
    """
    earlier = set[str](read_repositories(listed)) if listed.is_file() else set()
    there = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
    if others := sorted(there - earlier):
        raise ClassError(f"{out} holds {others[0]!r}, which was not fetched by this program: name a new folder")
    return there


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--organization", required=True)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--pattern", help="of names of repositories, as attention-*")
    chosen.add_argument("--roster", type=Path, help="CSV file with the columns student and repository")
    parser.add_argument("--out", type=Path, required=True, help="folder with one folder for each submission")
    parser.add_argument("--list", type=Path, required=True, help="JSON file on what was fetched")
    options = parser.parse_args()
    server, token = os.environ.get("GITHUB_SERVER_URL") or SERVER, os.environ.get("KATA_TOKEN", "")
    try:
        if options.roster:
            text = options.roster.read_text(encoding="utf-8-sig")
            repositories = by_roster(text, str(options.roster), options.organization)
        else:
            repositories = by_pattern(Api(token), options.organization, options.pattern)
        earlier = of_earlier_run(options.out, options.list)
        fetched, problems = fetch_class(repositories, options.out, server.rstrip("/"), token)
        for name in earlier - set(fetched):
            shutil.rmtree(options.out / name)
        document = {"schema": SCHEMA, "repositories": fetched, "problems": problems}
        write_atomically(options.list, json.dumps(document, indent=1, sort_keys=True).encode() + b"\n")
    except (UserError, OSError, UnicodeDecodeError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    for name, problem in sorted(problems.items()):
        warn(f"{name} was not fetched and is not graded: {problem}")
    note("Not fetched, not graded", problems)
    print(f"fetched {len(fetched)} of {len(repositories)} repositories into {options.out}")
    return 0 if fetched else 2


if __name__ == "__main__":
    sys.exit(main())
