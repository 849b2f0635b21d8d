"""`kata export junit`."""

from pathlib import Path

import click

from graders.commands.exports import deliver, out_option, scores_option


@click.command(name="junit")
@scores_option
@click.option("--submission", metavar="NAME", help="This one, as its candidate may see it; the class by default.")
@out_option
def command(scores: Path, submission: str | None, out: Path | None) -> None:
    """JUnit XML for whatever shows test results: a suite for each exercise of each submission, a case for each test.

    Pending tests are skipped ones. Without --submission it holds tracebacks of hidden tests and is for staff.

    \b
    Example:
      kata export junit --scores build/grades --out build/junit.xml
    """
    from graders.exporters.junit import junit, junit_of_one
    from graders.scorefile import read_scores
    from graders.scoring import candidate_view

    found = read_scores(scores)
    deliver(junit(found) if submission is None else junit_of_one(candidate_view(found, submission)), out)
