"""The few words of GitHub's API that the staff lane needs."""

import itertools
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from graders.errors import UserError
from graders.exporters.markdown import escape
from graders.scoring import clean

API = "https://api.github.com"
SERVER = "https://github.com"
ATTEMPTS, LONGEST_WAIT, TIMEOUT = 4, 60.0, 30.0  # tries, and seconds
PER_PAGE = 100
LARGEST = 32 << 20  # bytes of an answer
OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})")
REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class ApiError(UserError):
    """What GitHub refuses, or does not answer. The message is for the user."""


class Api:
    """Requests as the owner of `token`; the address is $GITHUB_API_URL, which GitHub sets in every workflow."""

    def __init__(self, token: str | None = None, address: str | None = None) -> None:
        self._token = token if token is not None else os.environ.get("KATA_TOKEN", "")
        self._address = (address or os.environ.get("GITHUB_API_URL") or API).rstrip("/")
        self._opener = urllib.request.build_opener(_NoRedirects)

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer to one request; tried again where GitHub is busy or asks to wait.

        Raises:
            ApiError: naming the request and what GitHub said.
        """
        for attempt in range(ATTEMPTS):
            try:
                with self._opener.open(self._prepared(method, path, body), timeout=TIMEOUT) as answer:
                    text = answer.read(LARGEST)
                return json.loads(text) if text else None
            except urllib.error.HTTPError as error:
                wait = _wait(error, attempt)
                if wait is None or attempt == ATTEMPTS - 1:
                    raise ApiError(f"{method} {path}: {_said(error)}") from None
            except (OSError, ValueError) as error:
                wait = 2.0**attempt
                if attempt == ATTEMPTS - 1:
                    raise ApiError(
                        f"{method} {path}: no answer of {self._address} ({clean(str(error), 200)}): try again"
                    ) from None
            time.sleep(wait)
        raise AssertionError("unreachable")

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """The entries of a list, page after page."""
        for page in itertools.count(1):
            entries = self.request("GET", f"{path}?per_page={PER_PAGE}&page={page}")
            yield from entries
            if len(entries) < PER_PAGE:
                return

    def _prepared(self, method: str, path: str, body: dict[str, Any] | None) -> urllib.request.Request:
        request = urllib.request.Request(f"{self._address}{quote(path, safe='/?=&')}", method=method)
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        return request


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A repository that moved is an error: the token goes nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _wait(error: urllib.error.HTTPError, attempt: int) -> float | None:
    """Seconds until the request may be tried again, or None if that is no use."""
    asked = error.headers.get("Retry-After", "")
    if error.code in (403, 429) and asked.isdigit():
        return min(float(asked), LONGEST_WAIT)
    return 2.0**attempt if error.code == 429 or error.code >= 500 else None


def _said(error: urllib.error.HTTPError) -> str:
    try:
        message = json.loads(error.read(LARGEST)).get("message", "")
    except (OSError, ValueError, AttributeError):
        message = ""
    advice = {
        301: "it was renamed or moved: use its name of today",
        401: "check the secret KATA_TOKEN",
        403: "the token may not do this: see docs/github.md for the rights it needs",
        404: "check the name, and that the token may see it",
    }
    return f"{error.code} {clean(str(message), 200)}: {advice.get(error.code, 'try again')}"


def warn(message: str) -> None:
    """One sentence on stderr, and an annotation of the workflow's run."""
    print(f"Warning: {message}", file=sys.stderr)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(f"::warning::{message.replace('%', '%25')}", flush=True)


def note(title: str, table: dict[str, str]) -> None:
    """A table in the summary of the workflow's run, if there is one."""
    if table and (file := os.environ.get("GITHUB_STEP_SUMMARY")):
        rows = [f"| {escape(name)} | {escape(text)} |" for name, text in sorted(table.items())]
        with Path(file).open("a", encoding="utf-8") as page:
            page.write("\n".join([f"## {title}", "", "| submission | |", "| --- | --- |", *rows, "", ""]))
