"""Tells each student's repository how it was graded: one comment on the commit that was graded, or one check.

    python ci/github/publish.py --as comment --scores build/grades --repositories build/repositories.json

Written is what a candidate may see. A comment of an earlier run on the same commit is replaced. The token is $KATA_TOKEN; checks
need that of a GitHub App.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from api import Api, ApiError, note, warn

from graders.errors import UserError
from graders.exporters.markdown import submission_summary
from graders.exporters.repositories import read_repositories
from graders.scorefile import read_scores
from graders.scoring import Scores, clean, score_text

MARK = "<!-- kata grade -->"
PAUSE = 1.0  # seconds between two writes, as GitHub asks for
NAME = "kata grade"


def comment(api: Api, repository: dict[str, str], scores: Scores, name: str) -> None:
    """One comment on the commit, new or in place of the one before."""
    where, body = f"/repos/{repository['repository']}", {"body": f"{MARK}\n{submission_summary(scores, name)}"}
    on_commit = f"{where}/commits/{repository['commit']}/comments"
    for earlier in api.pages(on_commit):
        if str(earlier.get("body", "")).startswith(MARK):
            try:
                api.request("PATCH", f"{where}/comments/{int(earlier['id'])}", body)
            except ApiError:  # somebody else's, who wrote the mark
                continue
            return
    api.request("POST", on_commit, body)


def check(api: Api, repository: dict[str, str], scores: Scores, name: str) -> None:
    """One check on the commit; GitHub shows the latest of a name."""
    own = scores["submissions"][name]
    conclusion = "neutral" if not own["max"] else "success" if own["points"] >= own["max"] else "failure"
    body: dict[str, Any] = {
        "name": NAME,
        "head_sha": repository["commit"],
        "status": "completed",
        "conclusion": conclusion,
        "output": {"title": score_text(own), "summary": submission_summary(scores, name)},
    }
    api.request("POST", f"/repos/{repository['repository']}/check-runs", body)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--as", dest="kind", choices=("comment", "check"), required=True)
    parser.add_argument("--scores", type=Path, required=True, help="output folder of `kata grade`")
    parser.add_argument("--repositories", type=Path, required=True, help="what clone.py wrote")
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between two repositories")
    options = parser.parse_args()
    try:
        scores, repositories = read_scores(options.scores), read_repositories(options.repositories)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    api, told, problems = Api(), 0, dict[str, str]()
    for name in sorted(scores["submissions"]):
        try:
            if name not in repositories:
                raise ApiError(
                    f"{options.repositories} holds no repository of it: fetch the class again, then grade it"
                )
            (comment if options.kind == "comment" else check)(api, repositories[name], scores, name)
            told += 1
        except ApiError as error:
            problems[clean(name)] = str(error)
            warn(f"{clean(name)} was not told: {error}")
        time.sleep(options.pause)
    note("Not told", problems)
    print(f"told {told} of {len(scores['submissions'])} repositories")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
