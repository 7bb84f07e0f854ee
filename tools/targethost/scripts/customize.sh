#!/bin/sh
# customize.sh ROOT: what a cloud's Debian image has beyond its packages.
set -eu
root=$1

rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"

chroot "$root" useradd --uid 1000 --create-home --shell /bin/bash --groups sudo debian
echo 'debian ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/debian"
chmod 440 "$root/etc/sudoers.d/debian"

# They would take the package manager's lock at a moment of their own choosing.
for timer in apt-daily apt-daily-upgrade; do
    ln -s /dev/null "$root/etc/systemd/system/$timer.timer"
done
