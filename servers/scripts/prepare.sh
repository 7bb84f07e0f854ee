#!/usr/bin/env bash
# First contact: tells whether this machine can be provisioned, and installs what the other scripts need.
#
# Environment: OLDEST, the oldest release of each system that will do, as "debian 12 ubuntu 22.04".
# Output: `os NAME`, and `changed: ...`, `refused: ...`, `hint: ...` as scripts/provision/report.py has them.
set -euo pipefail

refuse() { # MESSAGE HINT
    printf 'refused: %s\nhint: %s\n' "$1" "$2"
    exit 3
}

is_recent() { # ID VERSION
    local -a words
    local i
    read -ra words <<<"$OLDEST"
    for ((i = 0; i < ${#words[@]}; i += 2)); do
        [[ ${words[i]} == "$1" ]] || continue
        [[ $(printf '%s\n' "${words[i + 1]}" "$2" | sort --version-sort | head -n1) == "${words[i + 1]}" ]]
        return
    done
    return 1
}

check_system() {
    # shellcheck source=/dev/null
    . /etc/os-release
    is_recent "${ID:-}" "${VERSION_ID:-0}" ||
        refuse "${PRETTY_NAME:-This system} is not supported." "Use Debian 12 or Ubuntu 22.04, or a later release."
    printf 'os %s\n' "$PRETTY_NAME"
    case $(uname -m) in
        x86_64 | aarch64) ;;
        *) refuse "The processor, $(uname -m), is not supported." "Use a server with amd64 or arm64." ;;
    esac
    [[ -d /run/systemd/system ]] ||
        refuse "systemd does not run here." "Use a virtual machine or a dedicated server, not an application container."
    (($(df --output=avail -m / | tail -n1) >= 1500)) ||
        refuse "There is not enough space on the disk." "Provisioning needs 1.5 GB free on /."
}

# The system's own first boot may still be at work with apt.
wait_for_first_boot() {
    command -v cloud-init >/dev/null || return 0
    timeout 300 cloud-init status --wait >/dev/null 2>&1 || true
}

install_basics() {
    local missing=() name
    for name in python3 sudo; do command -v "$name" >/dev/null || missing+=("$name"); done
    ((${#missing[@]})) || return 0
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "${missing[@]}" >/dev/null
    printf 'changed: installed %s\n' "${missing[*]}"
}

main() {
    check_system
    wait_for_first_boot
    install_basics
}

main
