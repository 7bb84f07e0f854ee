# shellcheck shell=bash
set -euo pipefail
while IFS=' ' read -r boot_name boot_text && [[ -n $boot_name ]]; do
    boot_text=$(printf %s "$boot_text" | base64 -d; printf .)
    export "$boot_name=${boot_text%.}"
done
read -r boot_size
boot_script=$(head -c "$boot_size"; printf .)
eval "${boot_script%.}"
