"""A zip with the exercise's file four times: in other cases, by another spelling of the path, and by the same name.

Says: twice, perhaps in another case
"""

import warnings
import zipfile
from pathlib import Path


def build(folder: Path) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        warnings.simplefilter("ignore")
        for name in ("vault/Target.py", "Vault/target.py", "vault//target.py", "vault/target.py", "vault/./target.py"):
            archive.writestr(zipfile.ZipInfo(name), "x = 1\n")
