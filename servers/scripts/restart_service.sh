#!/usr/bin/env bash
# Restarts a systemd unit, unless its configuration is broken: then it would stay down. Environment: UNIT.
set -euo pipefail

main() {
    case $UNIT in
        nginx) nginx -t ;;
        php*-fpm) "php-fpm${UNIT//[!0-9.]/}" -t ;;
    esac
    systemctl restart "$UNIT"
    systemctl --no-pager --lines=0 status "$UNIT"
}

main
