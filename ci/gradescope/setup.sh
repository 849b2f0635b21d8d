#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the autograder's image. AUTOGRADER is /autograder there.
set -euo pipefail
AUTOGRADER="${AUTOGRADER:-/autograder}"
BUNDLE="$AUTOGRADER/source/deepkata"
VENV="$AUTOGRADER/venv"

if [ -x "$VENV/bin/kata" ]; then
    echo "setup: $VENV is there already"
    exit 0
fi

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null && "$name" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# bubblewrap gives the full sandbox where the container allows namespaces; without it, or without them, the reduced one runs.
if command -v apt-get >/dev/null && ! { find_python && command -v bwrap; } >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends bubblewrap || echo "setup: no bubblewrap, the reduced sandbox will run"
    find_python >/dev/null ||
        apt-get install -y -qq --no-install-recommends python3.12 python3.12-venv ||
        apt-get install -y -qq --no-install-recommends python3.11 python3.11-venv
fi
PYTHON="$(find_python)" || {
    echo "setup: Python 3.11, 3.12 or 3.13 with venv is needed: choose a newer base image in the autograder's settings"
    exit 1
}

"$PYTHON" -m venv "$VENV"
"$VENV/bin/python" -m pip --disable-pip-version-check install --quiet -c "$BUNDLE/ci/constraints.txt" -e "$BUNDLE"
"$VENV/bin/kata" --version
