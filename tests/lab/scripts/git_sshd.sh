#!/bin/sh
# git_sshd.sh PASSWD CONFIG: runs sshd with a user database of its own, in a mount namespace of its own, so that
# the machine needs no user `git` and keeps nothing of this server.
set -eu
mount --bind "$1" /etc/passwd
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd
exec /usr/sbin/sshd -D -e -f "$2"
