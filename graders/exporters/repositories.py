"""What `ci/github/clone.py` says of the repositories that it fetched."""

import json
from pathlib import Path
from typing import Any

from graders.errors import UserError

SCHEMA = "kata.repositories/v1"
KEYS = ("repository", "url", "commit", "committed")


class RepositoriesError(UserError):
    """No list of repositories. The message is for the user."""


def read_repositories(file: Path) -> dict[str, dict[str, str]]:
    """Repositories by submission: `repository` (owner/name), `url`, `commit`, `committed` (UTC) and, if it has one, its `tag`.

    Raises:
        RepositoriesError: naming the file, the problem and the mend.
    """
    try:
        document: Any = json.loads(file.read_bytes())
    except OSError as error:
        raise RepositoriesError(f"{file} cannot be read ({error.strerror}): check the path") from None
    except (ValueError, RecursionError):
        raise RepositoriesError(f"{file} is no JSON: give the repositories.json of ci/github/clone.py") from None
    found = document.get("repositories") if isinstance(document, dict) and document.get("schema") == SCHEMA else None
    if not isinstance(found, dict) or not all(_complete(record) for record in found.values()):
        raise RepositoriesError(f"{file} is not {SCHEMA}: give the repositories.json of ci/github/clone.py")
    return found


def _complete(record: object) -> bool:
    return (
        isinstance(record, dict)
        and all(isinstance(record.get(key), str) for key in KEYS)
        and all(isinstance(value, str) for value in record.values())
    )
