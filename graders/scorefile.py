"""The file of scores that `kata grade` writes, read again."""

import json
from pathlib import Path

from graders.errors import UserError
from graders.schema import check_scores
from graders.scoring import Scores


class ScoreFileError(UserError):
    """No scores, or not those of this version. The message is for the user."""


def read_scores(path: Path) -> Scores:
    """Scores of a class from a file, or from the output folder of `kata grade`.

    Raises:
        ScoreFileError: naming the file, the problem and the mend.
    """
    file = path / "scores.json" if path.is_dir() else path
    try:
        scores = json.loads(file.read_bytes())
        check_scores(scores)
    except FileNotFoundError:
        raise ScoreFileError(f"{file} does not exist: run `kata grade` first, or name its output folder") from None
    except OSError as error:
        raise ScoreFileError(f"{file} cannot be read ({error.strerror}): check the path") from None
    except (ValueError, RecursionError) as error:
        raise ScoreFileError(f"{file}: {' '.join(str(error).split())}: grade again with this version") from None
    if "submissions" not in scores:
        raise ScoreFileError(f"{file} is a candidate's view: give the scores.json of the class")
    found: Scores = scores
    return found
