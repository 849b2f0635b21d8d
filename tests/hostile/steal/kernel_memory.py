"""Reads the memory of the machine past the processes: devices, the kernel's log, swap, core dumps, disks."""

import contextlib
import ctypes
import glob
import os

PLACES = ("/dev/mem", "/dev/kmem", "/dev/port", "/proc/kcore", "/dev/kmsg", "/proc/kmsg", "/proc/vmcore", "/swapfile")
DISKS = ("sda", "sda1", "vda", "vda1", "vdb", "nvme0n1", "nvme0n1p1", "xvda", "zram0", "loop0", "dm-0")
CORES = (
    "core",
    "../core*",
    "/core*",
    "/tmp/core*",
    "/var/crash/*",
    "/var/lib/systemd/coredump/*",
    "/var/lib/apport/*/*",
)

for place in (*PLACES, *(f"/dev/{name}" for name in DISKS), *(found for core in CORES for found in glob.glob(core))):
    with contextlib.suppress(OSError), open(place, "rb", buffering=0) as file:
        print("STO" + "LEN", place, file.read(64))
text = ctypes.create_string_buffer(1 << 16)
if ctypes.CDLL(None).klogctl(3, text, len(text)) > 0:
    print("STO" + "LEN", "kernel log", text.value[:200])
for name in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/dmesg_restrict", "/proc/sys/vm/drop_caches"):
    with contextlib.suppress(OSError):
        print("STO" + "LEN", "write access to", name, os.open(name, os.O_WRONLY))
