#!/usr/bin/env bash
# Makes .venv and installs the pinned requirements into it: tools/bootstrap.sh base|dev
# Does nothing, in milliseconds, where that is done already.
set -euo pipefail

main() {
    cd "$(dirname "$0")/.."
    local names=(base) missing=() name
    [[ $1 == base ]] || names+=("$1")
    for name in "${names[@]}"; do is_installed "$name" || missing+=("$name"); done
    ((${#missing[@]})) || return 0

    # One at a time, where `make run` and `make test` are started together.
    exec 9<requirements
    flock 9
    .venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv
    install "${names[@]/#/requirements/}"
    for name in "${names[@]}"; do fingerprint "$name" >".venv/.installed-$name"; done
}

is_installed() {
    [[ $(cat ".venv/.installed-$1" 2>/dev/null) == "$(fingerprint "$1")" ]] && .venv/bin/python -c '' 2>/dev/null
}

fingerprint() { sha256sum <"requirements/$1.txt"; }

make_venv() {
    local python
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || die "python3-venv is missing. Install it with:" \
        "    $(as_root)apt-get install $(venv_package "$python")"
    echo "making .venv with $("$python" --version)" >&2
    rm -rf .venv
    "$python" -m venv .venv
}

find_python() {
    # 3.11 and 3.12 first: for these every dependency comes ready to use, nothing has to be compiled.
    local name
    for name in "${PYTHON:-python3.11}" python3.12 python3 python3.13 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    die "Python 3.11 or later is needed and was not found. Debian 12 and Ubuntu 23.04 or later have it:" \
        "    $(as_root)apt-get install python3 python3-venv" \
        "For a Python elsewhere: make PYTHON=/path/to/python3.11 ..."
}

install() {
    local log=.venv/install.log arguments=() file
    for file in "$@"; do arguments+=(--requirement "$file.txt"); done
    echo "installing $* (a minute or two, once)" >&2
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
        "${arguments[@]}" >"$log" 2>&1 && return
    tail -n 20 "$log" >&2
    if grep -qiE "building wheel|gcc|command '?cc|Python\.h|make: not found" "$log" && ! can_compile; then
        die "A dependency has to be compiled for this Python and machine, and the compiler is missing. Install it with:" \
            "    $(as_root)apt-get install build-essential python3-dev"
    fi
    die "The dependencies could not be installed; the whole log is in $log."
}

can_compile() {
    command -v cc >/dev/null && command -v make >/dev/null &&
        [[ -f $(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h ]]
}

venv_package() { "$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'; }

as_root() { ((EUID == 0)) || echo "sudo "; }

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

main "${1:?base or dev}"
