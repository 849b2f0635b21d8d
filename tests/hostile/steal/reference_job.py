"""Reads the reference solution out of the jobs that run beside it while throughput is measured.
Exercise: fast
"""

import contextlib
import glob
import os
import re

folder = os.environ.get("KATA_JOBS", "/job")
judge, number = (re.findall(r"job-(\d+)-(\d+)", os.getcwd()) or [(os.getpid(), 9)])[0]
beside = {f"{folder}/job-{judge}-{int(number) + step}" for step in range(-8, 9) if step}
for place in {*beside, *glob.glob(f"{folder}/*"), *glob.glob("/tmp/kata-*/jobs/*"), "/proc/1/cwd"} - {os.getcwd()}:
    with contextlib.suppress(OSError):
        if os.path.samefile(place, os.getcwd()):
            continue
    for name in ("fast.py", "accept_loop.py", "identity.py"):
        with contextlib.suppress(OSError), open(f"{place}/{name}") as file:
            print("STO" + "LEN", place, file.read(400))
    with contextlib.suppress(OSError):
        os.symlink(place, "kata-hostile-link")
        print("STO" + "LEN", os.listdir("kata-hostile-link"))
    with contextlib.suppress(OSError):
        os.unlink("kata-hostile-link")
