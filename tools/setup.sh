#!/bin/sh
# Make .venv hold everything the project needs, editable. Does nothing when it already does.
#
# PYTHON=/path/to/python chooses the interpreter; otherwise the best one found is taken.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

venv=.venv
python=$venv/bin/python

# The examples stay out: they are third parties' plugins, for people to install.
members() {
    for file in pyproject.toml hookspecs/pyproject.toml src/*/pyproject.toml plugins/*/pyproject.toml; do dirname "$file"; done
}

libraries_key() { { pwd; cat constraints.txt; } | cksum; }
workspace_key() { { libraries_key; cat tools/setup.sh tools/codex; for dir in $(members); do echo "$dir"; cat "$dir/pyproject.toml"; done; } | cksum; }
recorded() { cat "$venv/$1" 2>/dev/null || true; }

# Prints one line "rank executable" for an interpreter that can be used.
probe() {
    "$1" -I - <<'PROBE' 2>/dev/null || true
import os
import sys
if sys.version_info >= (3, 11) and sys.implementation.name == "cpython" and sys.prefix == sys.base_prefix:
    import ensurepip
    import sysconfig
    import venv
    # Distributions build with profile-guided optimisation, which makes start-up a quarter faster; version managers often do not.
    quick = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "") or sys.executable.startswith("/usr/bin/")
    known = sys.version_info[:2] <= (3, 13)
    print(f"{known:d}{quick:d}{min(sys.version_info[1], 99):02d} {os.path.realpath(sys.executable)}")
PROBE
}

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        probe "$PYTHON" | cut -d' ' -f2-
        return
    fi
    {
        for name in python3.13 python3.12 python3.11 python3; do
            for dir in $(echo "$PATH" | tr ':' ' ') /usr/bin /usr/local/bin /opt/homebrew/bin; do
                case $dir in */shims) continue ;; esac
                if [ -x "$dir/$name" ]; then echo "$dir/$name"; fi
            done
        done
        ls -d "${HOME:-/}"/.pyenv/versions/3.1[1-9]*/bin/python3 "${HOME:-/}"/.local/share/uv/python/cpython-3.1[1-9]*/bin/python3 2>/dev/null || true
    } | awk '!seen[$0]++' | while read -r candidate; do probe "$candidate"; done | sort -rn | head -n 1 | cut -d' ' -f2-
}

no_python() {
    cat >&2 <<MESSAGE
setup: looking for a Python to make .venv with.
found: ${PYTHON:-nothing on PATH} is not a CPython 3.11 or newer that has the modules venv and ensurepip.
do:    install one (Debian and Ubuntu: apt install python3 python3-venv), or name one: PYTHON=/path/to/python3 make venv
MESSAGE
    exit 1
}

# The Linux sandbox needs bubblewrap, the only system package of the project.
install_bubblewrap() {
    if [ "$(uname -s)" != Linux ] || command -v bwrap >/dev/null 2>&1; then return; fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        export DEBIAN_FRONTEND=noninteractive
        timeout 60 apt-get install -qq -y bubblewrap >/dev/null 2>&1 && return
        { timeout 60 apt-get update -qq && timeout 120 apt-get install -qq -y bubblewrap; } >/dev/null 2>&1 && return
    fi
    echo "setup: the system package bubblewrap is missing; sandboxed commands need it (Debian and Ubuntu: apt install bubblewrap)." >&2
    if [ "${CI:-}" = true ]; then return 1; fi
}

install_libraries() {
    base=$(choose_python)
    if [ -z "$base" ]; then no_python; fi
    echo "setup: making $venv with $("$base" --version) at $base"
    rm -rf "$venv"
    "$base" -m venv "$venv"
    "$python" -m pip install -qq --require-hashes -r constraints.txt
    # setuptools puts a .pth file with an import into every start of the interpreter; nothing here needs it.
    "$python" -m pip uninstall -qq -y setuptools
    libraries_key >"$venv/.libraries"
}

# The program without the shell that looks for its interpreter, where the name of that fits behind "#!". SIGINT waits
# until the program can answer it, where the system has a program that sees to this.
quick_program() {
    first="$PWD/$python -ISXutf8"
    case $first in *[[:space:]]*' -ISXutf8') return ;; esac
    if /usr/bin/env -S --block-signal=INT true 2>/dev/null; then first="/usr/bin/env -S --block-signal=INT $first"; fi
    first="#!$first"
    if [ ${#first} -gt 126 ]; then return; fi
    { echo "$first"; sed -e '1,/^":"""$/d' tools/codex; } >"$venv/bin/codex.new"
    chmod 755 "$venv/bin/codex.new"
    mv "$venv/bin/codex.new" "$venv/bin/codex"
}

install_workspace() {
    echo "setup: installing the workspace"
    # shellcheck disable=SC2046  # the names of members hold no spaces
    "$python" - $(members) <<'STALE' | while read -r name; do "$python" -m pip uninstall -qq -y "$name"; done
import sys
import tomllib
from importlib import metadata
from pathlib import Path
members = {tomllib.loads(Path(path, "pyproject.toml").read_text())["project"]["name"] for path in sys.argv[1:]}
for distribution in metadata.distributions():
    if '"editable": true' in (distribution.read_text("direct_url.json") or "") and distribution.name not in members:
        print(distribution.name)
STALE
    # shellcheck disable=SC2046  # the names of members hold no spaces
    "$python" -m pip install -qq --no-deps --no-build-isolation $(members | sed 's/^/-e .\//')
    quick_program
    "$python" -m compileall -q $(members | sed 's/$/\/src/')
    workspace_key >"$venv/.workspace"
}

# Two makes in one tree take turns.
if command -v flock >/dev/null 2>&1; then
    exec 9>.venv.lock
    flock -w 600 9
fi
if "$python" -c '' 2>/dev/null && [ "$(recorded .workspace)" = "$(workspace_key)" ]; then exit 0; fi
install_bubblewrap &
if ! "$python" -c '' 2>/dev/null || [ "$(recorded .libraries)" != "$(libraries_key)" ]; then install_libraries; fi
wait $!
install_workspace
echo "setup: done, run $venv/bin/codex"
