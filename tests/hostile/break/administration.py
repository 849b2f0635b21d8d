"""Tries what only root may, with arguments that nobody could carry out: a refusal for these would come after the rights."""

import ctypes
import errno
import os
import platform

import torch

from graders.sandbox.kernel import SYSCALLS

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = SYSCALLS[platform.machine()]
REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
ATTEMPTS = [
    ("reboot", 0x0BAD, 0x0BAD, 0, None),
    ("kexec_load", 0, 0, None, 0xFFFF),
    ("init_module", None, 0, b""),
    ("finit_module", -1, b"", 0),
    ("delete_module", b"kata-hostile-none", os.O_NONBLOCK),
    ("swapon", b"/kata-hostile-none", 0),
    ("swapoff", b"/kata-hostile-none"),
    ("acct", b"/kata-hostile-none"),
    ("quotactl", -1, b"/kata-hostile-none", 0, None),
    ("syslog", 10, None, 0),
    ("open_by_handle_at", -1, None, 0),
]


def row_softmax(x):
    for name, *arguments in ATTEMPTS:
        if libc.syscall(NUMBERS[name], *arguments) >= 0 or ctypes.get_errno() not in REFUSED:
            print(name, errno.errorcode.get(ctypes.get_errno()))
            return torch.softmax(x, -1)
    raise PermissionError
