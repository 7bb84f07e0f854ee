#!/usr/bin/env bash
# Starts a script as a systemd unit, unless it was started before, and copies its log until it ends.
#
# Environment: UNIT, RUN_AS (a Linux user), OFFSET (bytes of the log to skip), and how the script is read:
# PROGRAM, FLAG, BOOT, NAME. Where ONCE is not empty, a unit that was started before and has left no exit code is
# lost. Standard input: the script and its values, as BOOT reads them.
# Standard output: `unit started 0` or `unit followed OFFSET`, then the log. Standard error ends with
# `unit exited CODE`, `unit killed SIGNAL`, `unit dumped SIGNAL` or `unit lost`.
set -euo pipefail

DROP_IN=/run/systemd/system/$UNIT.service.d

# Runs as root after every process of the unit has ended, whatever ended them.
finish() { # DIR INPUT DROP-IN
    # A server that goes down ends the unit halfway: without an exit code it will be run again.
    if [[ $(systemctl is-system-running) != stopping ]]; then
        # Over what `start` has put there, which a full disk allows.
        echo "$EXIT_CODE $EXIT_STATUS" 3<>"$1/exit.new" >&3
        mv "$1/exit.new" "$1/exit"
    fi
    rm -rf "$2" "$3"
}

# Not as a property of systemd-run: systemd 252 forgets one with a "+" at a daemon-reload, of which apt makes many.
finish_drop_in() ( # DIR INPUT
    umask 022
    mkdir -p "$DROP_IN"
    printf '[Service]\nExecStopPost=+/bin/bash %s %s %s %s\n' "$1/finish" "$1" "$2" "$DROP_IN" >"$DROP_IN/finish.conf"
)

start() { # DIR INPUT
    cat >"$2"
    : >"$1/log"
    printf '%31s\n' '' >"$1/exit.new"
    { declare -f finish; echo 'finish "$@"'; } >"$1/finish"
    finish_drop_in "$1" "$2"
    # $$ is how a $ is written in systemd's command lines (systemd.service(5)).
    systemd-run --collect --unit="$UNIT" --description="$UNIT" \
        -p Type=exec -p User="$RUN_AS" -p WorkingDirectory=-~ -p OOMScoreAdjust=500 -p TimeoutStopSec=5 \
        -p IgnoreSIGPIPE=no -p RuntimeDirectory="$UNIT" -p RuntimeDirectoryMode=0700 \
        -p StandardInput=file:"$2" -p StandardOutput=append:"$1/log" -p StandardError=inherit \
        --setenv=LANG=C.UTF-8 "$PROGRAM" "$FLAG" "${BOOT//\$/\$\$}" "$NAME" </dev/null
}

refused() { # DIR INPUT: systemd did not start it
    rm -rf "$2" "$1/exit" "$DROP_IN"
    journalctl --quiet --no-pager --output=cat --lines=5 --unit="$UNIT" >&2 || true
    [[ $(systemctl is-system-running) == stopping ]] || return 1
    echo "unit lost" >&2
}

is_loaded() { [[ $(systemctl show -p ActiveState --value "$UNIT") =~ ^(active|activating|deactivating)$ ]]; }

# The order matters: a unit that is gone has left its exit code, if it ever ran to an end.
was_started() { is_loaded || [[ -e $1/exit ]]; } # DIR

follow() { # DIR OFFSET
    local pid wait_for_more=()
    pid=$(systemctl show -p MainPID --value "$UNIT")
    ((pid == 0)) || wait_for_more=(--follow --pid="$pid" --sleep-interval=0.05)
    exec 7<"$1/log"
    tail --bytes=+$(($2 + 1)) "${wait_for_more[@]}" <&7
    until [[ -e $1/exit ]]; do
        was_started "$1" || { echo "unit lost" >&2; return; }
        sleep 0.02
    done
    # What was written since tail looked last.
    cat <&7
    echo "unit $(<"$1/exit")" >&2
}

main() {
    local dir=/var/lib/deploynix/units/$UNIT input=/run/deploynix/$UNIT state=followed from=$OFFSET
    umask 077
    mkdir -p "$dir" "${input%/*}"
    exec 9>"$dir/lock"
    flock 9
    if ! was_started "$dir"; then
        [[ -z $ONCE || ! -e $dir/log ]] || { echo "unit lost" >&2; return; }
        state=started from=0
        start "$dir" "$input" || { refused "$dir" "$input"; return; }
    fi
    exec 9>&-
    echo "unit $state $from"
    follow "$dir" "$from"
}

main
