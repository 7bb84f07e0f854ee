#!/usr/bin/env bash
# Takes the key off that lets Deploynix in. Environment: PUBLIC_KEY.
set -euo pipefail

main() {
    local file=/home/deploynix/.ssh/authorized_keys
    [[ -e $file ]] || return 0
    # grep ends with 1 where no other line is left.
    { grep --fixed-strings --line-regexp --invert-match -e "$PUBLIC_KEY" "$file" || (($? == 1)); } >"$file.new"
    chmod 600 "$file.new"
    chown --reference="$file" "$file.new"
    mv "$file.new" "$file"
}

main
