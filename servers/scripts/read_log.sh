#!/usr/bin/env bash
# Prints the last lines of a log. Environment: LOG (one of servers.models.LogName), LINES, PHP_VERSION.
set -euo pipefail

from_file() { # PATH
    if [[ -e $1 ]]; then tail --lines="$LINES" "$1"; fi
}

from_journal() { # JOURNALCTL-OPTION...
    journalctl --quiet --no-pager --output=short-iso --lines="$LINES" "$@"
}

main() {
    case $LOG in
        nginx-access) from_file /var/log/nginx/access.log ;;
        nginx-error) from_file /var/log/nginx/error.log ;;
        php) from_file "/var/log/php$PHP_VERSION-fpm.log" ;;
        # The facilities auth and authpriv (RFC 5424, 6.2.1).
        auth) from_journal SYSLOG_FACILITY=4 SYSLOG_FACILITY=10 ;;
        syslog) from_journal ;;
        *) return 2 ;;
    esac
}

main
