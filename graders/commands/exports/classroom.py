"""`kata export classroom`"""

import os
from pathlib import Path

import click

from graders.commands.errors import InputError
from graders.commands.exports import scores_option
from graders.commands.exports.submissions import deliver_each, each_option, only_one, student_option


@click.command(name="classroom")
@scores_option
@student_option
@each_option
@click.option("--github-output", is_flag=True, help="Append `result=…` to the file that $GITHUB_OUTPUT names.")
def command(scores: Path, student: str | None, out: Path | None, github_output: bool) -> None:
    """The `result` output of GitHub Classroom's graders, for their reporter: base64 of JSON.

    \b
    Example:
      kata export classroom --scores build/grades --github-output
    """
    from graders.exporters.classroom import classroom_result, encode
    from graders.scorefile import read_scores

    read = read_scores(scores)
    if not github_output:
        deliver_each(read, student, out, ".txt", lambda name: encode(classroom_result(read, name)) + "\n")
        return
    file = os.environ.get("GITHUB_OUTPUT")
    if out is not None or not file:
        raise InputError(
            "--github-output writes to the file that $GITHUB_OUTPUT names: run it in a workflow, without --out"
        )
    with open(file, "a", encoding="utf-8") as output:
        output.write(f"result={encode(classroom_result(read, only_one(read, student)))}\n")
