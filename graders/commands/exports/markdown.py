"""`kata export markdown`"""

from pathlib import Path

import click

from graders.commands.exports import deliver, out_option, scores_option


@click.command(name="markdown")
@scores_option
@click.option("--student", metavar="ID", help="One submission: points, and the promises that it breaks.")
@out_option
def command(scores: Path, student: str | None, out: Path | None) -> None:
    """A table in Markdown: of the class, or of one submission as its candidate may see it.

    \b
    Example:
      kata export markdown --scores build/grades >> "$GITHUB_STEP_SUMMARY"
      kata export markdown --scores build/grades --student ada
    """
    from graders.exporters.markdown import class_summary, submission_summary
    from graders.scorefile import read_scores

    read = read_scores(scores)
    deliver(submission_summary(read, student) if student is not None else class_summary(read), out)
