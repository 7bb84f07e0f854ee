#!/bin/sh
# join.sh GROUP-FOLDER... -- COMMAND...: runs the command as a member of the control groups.
set -eu
while [ "$1" != -- ]; do
    echo $$ >"$1/cgroup.procs"
    shift
done
shift
exec "$@"
