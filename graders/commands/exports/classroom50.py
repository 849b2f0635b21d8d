"""`kata export classroom50`"""

import json
from pathlib import Path

import click

from graders.commands.errors import InputError
from graders.commands.exports import scores_option
from graders.commands.exports.submissions import deliver_each, each_option, student_option


@click.command(name="classroom50")
@scores_option
@student_option
@each_option
@click.option("--classroom", envvar="CLASSROOM", required=True, help="Short name of the classroom.  [$CLASSROOM]")
@click.option("--assignment", envvar="ASSIGNMENT", required=True, help="Slug of the assignment.  [$ASSIGNMENT]")
@click.option(
    "--type",
    "assignment_type",
    envvar="ASSIGNMENT_TYPE",
    type=click.Choice(["individual", "group"]),
    default="individual",
    help="[$ASSIGNMENT_TYPE]",
)
@click.option(
    "--repositories",
    type=click.Path(path_type=Path),
    help="The repositories.json of ci/github/clone.py, which knows owner, commit and tag of each submission.",
)
@click.option("--owner", envvar="OWNER", help="Of one submission: login of its owner.  [$OWNER]")
@click.option("--tag", envvar="SUBMISSION_TAG", help="Its tag, submit/….  [$SUBMISSION_TAG]")
@click.option("--commit", envvar="COMMIT_URL", help="Link to its commit.  [$COMMIT_URL]")
@click.option("--release", envvar="RELEASE_URL", help="Link to its release.  [$RELEASE_URL]")
@click.option("--review", envvar="REVIEW_URL", help="Link to its review; the commit by default.  [$REVIEW_URL]")
@click.option("--datetime", "when", help="When it was submitted, as 2026-09-30T12:00:00Z.")
def command(
    scores: Path,
    student: str | None,
    out: Path | None,
    classroom: str,
    assignment: str,
    assignment_type: str,
    repositories: Path | None,
    owner: str | None,
    tag: str | None,
    commit: str | None,
    release: str | None,
    review: str | None,
    when: str | None,
) -> None:
    """`result.json` of Classroom 50: of each submission with --repositories, or of one.

    \b
    Example:
      kata export classroom50 --classroom dl --assignment attention --repositories build/repositories.json --out build/results
    """
    from graders.exporters.classroom50 import Identity, classroom50_result, identity_of
    from graders.exporters.repositories import read_repositories
    from graders.scorefile import read_scores

    read = read_scores(scores)
    known = read_repositories(repositories) if repositories is not None else None

    def identity(name: str) -> Identity:
        if known is None:
            return Identity(
                classroom=classroom,
                assignment=assignment,
                owner=owner or "",
                submission=tag or "",
                commit=commit or "",
                release=release or "",
                review=review or commit or "",
                when=when or "",
                assignment_type=assignment_type,
            )
        if name not in known:
            raise InputError(f"{repositories} holds no repository of {name!r}: fetch the class again, then grade it")
        return identity_of(known[name], name, classroom, assignment, assignment_type)

    def render(name: str) -> str:
        return json.dumps(classroom50_result(read, name, identity(name)), indent=2) + "\n"

    if known is None and student is None and len(read["submissions"]) > 1:
        raise InputError(
            "several submissions need --repositories, which says whose they are; or choose one with --student ID"
        )
    deliver_each(read, student, out, ".json", render)
