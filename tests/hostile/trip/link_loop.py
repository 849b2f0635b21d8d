"""Links that lead to themselves, to each other, and up, so that whoever follows them never comes to an end.

Says: target.py is a link
"""

from pathlib import Path


def build(folder: Path) -> None:
    inside = folder / "vault"
    inside.mkdir(parents=True)
    (inside / "target.py").symlink_to("target.py")
    (inside / "up").symlink_to("..")
    (folder / "round").symlink_to("vault/up/round")
    for name, other in (("a", "b"), ("b", "a")):
        (folder / name).symlink_to(other)
