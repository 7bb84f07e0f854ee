#!/bin/sh
# Boots one target host and stays until it powers off. Runs in a mount namespace and a control group of its own, so
# the mounts made here are seen by this host alone and go with it.
# Environment: LAYERS (folders of the image, topmost first, joined by ':'), UPPER and WORK (what the host writes),
# ROOT (where its file system appears), HOST_NAME, MACHINE (names its network device on this side), BRIDGE.
set -eu

# volatile: the disk is thrown away in the end, so nobody need wait for its fsyncs.
mount -t overlay target-host "$ROOT" -o "lowerdir=$LAYERS,upperdir=$UPPER,workdir=$WORK,volatile"
# systemd-nspawn keeps notes here, which would otherwise mix with those of the machine's own containers.
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=755 tmpfs /run/systemd/nspawn

# A server has a unified cgroup tree, and its /tmp on disk.
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_TMPFS_TMP=0

wants_reboot=133
code=$wants_reboot
while [ "$code" -eq "$wants_reboot" ]; do
    code=0
    systemd-nspawn --boot --quiet --directory="$ROOT" --machine="$MACHINE" --hostname="$HOST_NAME" \
        --network-bridge="$BRIDGE" --register=no --keep-unit --console=read-only \
        --link-journal=no --resolv-conf=off --timezone=off || code=$?
done
exit "$code"
