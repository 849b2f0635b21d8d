"""A socket in place of the exercise's file.

Says: target.py is not a file
"""

import os
import socket
from pathlib import Path


def build(folder: Path) -> None:
    (folder / "vault").mkdir(parents=True)
    place = os.open(folder / "vault", os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{place}/target.py")  # a path of any length
    os.close(place)
