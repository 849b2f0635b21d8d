"""Where code that nobody trusts runs: namespaces, Landlock, seccomp and limits around a fork of a warmed process."""
