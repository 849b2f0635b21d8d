"""GitHub as the workflows see it, on this machine: repositories in a folder, an API on 127.0.0.1."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ci" / "github"))

GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
AUTHOR = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
          "GIT_AUTHOR_DATE": "2026-09-30T14:00:00+02:00", "GIT_COMMITTER_DATE": "2026-09-30T14:00:00+02:00"}  # fmt: skip


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, env=GIT | AUTHOR, check=True)
    return done.stdout.strip()


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """The folder of bare repositories."""
    folder = tmp_path / "server"
    folder.mkdir()
    return folder


@pytest.fixture
def push(server: Path, tmp_path: Path) -> Callable[..., str]:
    """Makes a repository `owner/name` with some files and returns its commit."""

    def make(name: str, files: dict[str, str], tag: str | None = None) -> str:
        work = tmp_path / "work" / name
        work.mkdir(parents=True, exist_ok=True)
        git("init", "-q", "-b", "main", str(work))
        for file, text in files.items():
            (work / file).parent.mkdir(parents=True, exist_ok=True)
            (work / file).write_text(text)
        git("-C", str(work), "add", "-A")
        git("-C", str(work), "commit", "-q", "--allow-empty", "-m", "work")
        if tag:
            git("-C", str(work), "tag", tag)
        bare = server / f"{name}.git"
        if not bare.exists():
            git("clone", "-q", "--bare", str(work), str(bare))
        git("-C", str(work), "push", "-q", "--force", "--tags", str(bare), "main")
        return git("-C", str(work), "rev-parse", "HEAD")

    return make


@dataclass
class FakeGitHub:
    """What the API was asked, and what it answers."""

    address: str = ""
    repositories: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    checks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, authorization
    answers: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)  # given first, one after the other

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        where, _, query = path.partition("?")
        if method == "GET" and re.fullmatch("/orgs/[^/]+/repos", where):
            size, page = (int(found) for found in re.findall(r"(?:per_page|page)=(\d+)", query))
            return 200, self.repositories[size * (page - 1) : size * page]
        if found := re.fullmatch("/repos/([^/]+/[^/]+)/commits/[0-9a-f]{40}/comments", where):
            comments = self.comments.setdefault(found[1], [])
            if method == "POST":
                comments.append({"id": len(comments) + 1, **body})
            return 201 if method == "POST" else 200, comments if method == "GET" else comments[-1]
        if method == "PATCH" and (found := re.fullmatch(r"/repos/([^/]+/[^/]+)/comments/(\d+)", where)):
            comment = self.comments[found[1]][int(found[2]) - 1]
            if comment.get("foreign"):
                return 403, {"message": "not yours"}
            return 200, comment.update(body) or comment
        if method == "POST" and (found := re.fullmatch("/repos/([^/]+/[^/]+)/check-runs", where)):
            self.checks.append((found[1], body))
            return 201, {"id": len(self.checks)}
        return 404, {"message": "Not Found"}


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    fake = FakeGitHub()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            fake.asked.append((self.command, self.path, self.headers.get("Authorization") or ""))
            status, headers, content = fake.answers.pop(0) if fake.answers else (0, {}, None)
            if not status:
                status, content = fake.answer(self.command, self.path, body)
            text = json.dumps(content).encode()
            self.send_response(status)
            for key, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        fake.address = f"http://127.0.0.1:{listening.server_port}"
        monkeypatch.setenv("GITHUB_API_URL", fake.address)
        yield fake
        listening.shutdown()
