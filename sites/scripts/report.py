"""Tells what a fetch found, as one line of JSON. Runs as root, and reads as the site's own user.

Input: one line of JSON with `username` and `folder`. Output: `commit`, `author`, `message`, `host_key` and
`presented_key`, each a text, empty where there is none.
"""

import json
import subprocess
import sys


def read_as(username, command):
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null"}
    result = subprocess.run(
        command,
        user=username,
        group=username,
        extra_groups=[],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return result.stdout.decode("utf-8", "replace")


def main():
    values = json.loads(sys.stdin.readline())
    repository, username = f"{values['folder']}/repo.git", values["username"]
    log = ["git", "--git-dir", repository, "log", "-1", "--format=%H%x00%an%x00%s", "refs/deploynix/next"]
    commit, author, message = [*read_as(username, log).strip().split("\0"), "", ""][:3]
    answer = {"commit": commit, "author": author[:255], "message": message[:255]}
    for name in ("host_key", "presented_key"):
        answer[name] = read_as(username, ["cat", f"{repository}/{name}"]).strip()[:4096]
    print(json.dumps(answer))


main()
