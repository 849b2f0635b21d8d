"""Opens the terminal from which the grader was started, reads from it and types into it."""

import contextlib
import fcntl
import os
import termios

for name in ("/dev/tty", "/dev/console", "/dev/tty1", "/dev/ttyS0", "/dev/vcs1", *(f"/dev/pts/{n}" for n in range(16))):
    with contextlib.suppress(OSError):
        print("STO" + "LEN", name, os.open(name, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY))
for number in range(4):
    with contextlib.suppress(OSError):
        print("STO" + "LEN", os.ttyname(number))
    for byte in b"kata-hostile\n":
        with contextlib.suppress(OSError):
            fcntl.ioctl(number, termios.TIOCSTI, bytes([byte]))
            print("STO" + "LEN", "typed")
