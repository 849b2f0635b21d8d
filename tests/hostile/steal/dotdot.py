"""Climbs out of the private folder by `..`, by chdir, by openat and by links of /proc, and lists what lies above."""

import contextlib
import os

here = os.getcwd()
for way in ("..", "/proc/self/cwd/..", "/proc/self/root", "/proc/thread-self/cwd/.."):
    for depth in range(12):
        place = way + "/.." * depth
        with contextlib.suppress(OSError):
            print("STO" + "LEN", place, os.listdir(place)[:20])
descriptor = os.open(".", os.O_RDONLY)
for _ in range(12):
    with contextlib.suppress(OSError):
        os.chdir("..")
        print("STO" + "LEN", os.getcwd(), os.listdir(".")[:20])
    with contextlib.suppress(OSError):
        descriptor = os.open("..", os.O_PATH, dir_fd=descriptor)
        print("STO" + "LEN", os.listdir(os.open(".", os.O_RDONLY, dir_fd=descriptor))[:20])
os.chdir(here)
