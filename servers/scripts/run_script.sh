#!/usr/bin/env bash
# Runs a script that somebody has stored, from a file of its own, and ends it when its time is over.
#
# Environment: script_body, script_timeout (seconds), and the parameters of the script, whose names are in capitals.
# Exit code: the script's, or as timeout(1) says where it had to be ended.
set -euo pipefail

main() {
    # systemd removes the folder with the unit, however that ends.
    local body=${script_body:?} seconds=${script_timeout:?} file=${RUNTIME_DIRECTORY:?}/script
    unset script_body script_timeout RUNTIME_DIRECTORY
    printf '%s\n' "$body" >"$file"
    timeout --kill-after=5 "$seconds" bash "$file" </dev/null
}

main
