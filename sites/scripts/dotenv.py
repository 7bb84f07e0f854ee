"""Prints a site's `.env`: the shared one, or else that of the current release. Runs as root, reads as the site's user.

Input: one line of JSON with `username` and `folder`. Exit code 3: there is none.
"""

import json
import subprocess
import sys


def main():
    values = json.loads(sys.stdin.readline())
    folder, username = values["folder"], values["username"]
    for path in (f"{folder}/shared/.env", f"{folder}/current/.env"):
        result = subprocess.run(
            ["cat", path], user=username, group=username, extra_groups=[], stdin=subprocess.DEVNULL, capture_output=True
        )
        if result.returncode == 0:
            sys.stdout.buffer.write(result.stdout)
            return
    sys.exit(3)


main()
