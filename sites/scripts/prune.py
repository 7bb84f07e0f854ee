"""Removes releases from a site's folder. Runs as root.

Input: one line of JSON with `folder`, and `keep` (all other releases go) or `remove` (these go).
"""

import json
import os
import shutil
import sys


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def main():
    values = json.loads(sys.stdin.readline())
    releases = f"{values['folder']}/releases"
    names = values["remove"] if "remove" in values else set(os.listdir(releases)) - set(values["keep"])
    for name in sorted(names):
        remove(f"{releases}/{name}")


main()
