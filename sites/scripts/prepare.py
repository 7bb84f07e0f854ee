"""Makes the Linux user of a site and its folders, or leaves them as they are. Runs as root.

Input: one line of JSON with `username` and `folder`. What root changes lies in folders that only root can write to,
so that no code of the site can lead root astray by a link.
"""

import grp
import json
import os
import pwd
import subprocess
import sys


def make_user(username, home):
    try:
        pwd.getpwnam(username)
    except KeyError:
        options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        subprocess.run(["useradd", *options, "--home-dir", home, "--", username], check=True)
    return pwd.getpwnam(username)


def make_folder(path, mode, uid, gid):
    os.makedirs(path, exist_ok=True)
    os.chown(path, uid, gid, follow_symlinks=False)
    os.chmod(path, mode)


def main():
    values = json.loads(sys.stdin.readline())
    folder = values["folder"]
    user = make_user(values["username"], f"{folder}/home")
    web = grp.getgrnam("www-data").gr_gid
    make_folder(folder, 0o711, 0, 0)
    make_folder(f"{folder}/home", 0o700, user.pw_uid, user.pw_gid)
    make_folder(f"{folder}/repo.git", 0o700, user.pw_uid, user.pw_gid)
    # nginx reads by the group; the bit that hands the group down makes that hold for all that is made inside.
    make_folder(f"{folder}/releases", 0o2750, user.pw_uid, web)
    make_folder(f"{folder}/shared", 0o711, 0, 0)
    make_folder(f"{folder}/shared/folders", 0o2750, user.pw_uid, web)


main()
