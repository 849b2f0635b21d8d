"""Searches the kernel's keyrings of the session, the user and the thread for keys of the judge or of a neighbour."""

import ctypes
import platform

KEYCTL, ADD_KEY, REQUEST_KEY = {"x86_64": (250, 248, 249), "aarch64": (219, 217, 218)}[platform.machine()]
GET_KEYRING_ID, DESCRIBE, SEARCH, READ = 0, 6, 10, 11
libc = ctypes.CDLL(None, use_errno=True)
text = ctypes.create_string_buffer(4096)

for ring in (-1, -2, -3, -4, -5):  # thread, process, session, user, the user's session
    if (found := libc.syscall(KEYCTL, GET_KEYRING_ID, ring, 0)) > 0:
        libc.syscall(KEYCTL, DESCRIBE, found, text, 4096)
        print("STO" + "LEN", ring, found, text.value)
        if libc.syscall(KEYCTL, READ, found, text, 4096) > 0:
            print("STO" + "LEN", "keys", text.raw[:64])
    if libc.syscall(KEYCTL, SEARCH, ring, b"user", b"kata-hostile-key", 0) > 0:
        print("STO" + "LEN", "a neighbour's key")
if libc.syscall(REQUEST_KEY, b"user", b"kata-hostile-key", None, 0) > 0:
    print("STO" + "LEN", "a key")
libc.syscall(ADD_KEY, b"user", b"kata-hostile-key", b"note", 4, -4)
