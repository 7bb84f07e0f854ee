"""Removes a site's user, with all its processes, its files and its logs. Runs as root.

Input: one line of JSON with `username` and `folder`.
"""

import json
import os
import pwd
import shutil
import subprocess
import sys


def remove_user(username):
    try:
        pwd.getpwnam(username)
    except KeyError:
        return
    subprocess.run(["crontab", "-r", "-u", username], stderr=subprocess.DEVNULL)
    # What is killed first may have been started again by what is killed next.
    for _ in range(10):
        if subprocess.run(["pkill", "-KILL", "-U", username]).returncode != 0:
            break
    subprocess.run(["userdel", "--", username], check=True)


def main():
    values = json.loads(sys.stdin.readline())
    remove_user(values["username"])
    for path in (values["folder"], f"/var/log/sites/{values['username']}"):
        if os.path.lexists(path):
            shutil.rmtree(path)


main()
