"""The user that Deploynix signs in as, with the key it signs in with, and the folders it works in."""

from __future__ import annotations

import os
import pwd

from report import changed, ensure_folder, fine, run


def main(user: str, public_key: str, sudoers: str) -> None:
    ensure_user(user)
    ensure_sudo(user, sudoers)
    ensure_key(user, public_key)
    ensure_folder("/srv", 0o755)


def ensure_user(user: str) -> None:
    try:
        pwd.getpwnam(user)
        fine(f"there is a user {user}")
    except KeyError:
        run("useradd", "--create-home", "--shell", "/bin/bash", "--user-group", user)
        changed(f"made the user {user}")


def ensure_sudo(user: str, sudoers: str) -> None:
    path = f"/etc/sudoers.d/{user}"
    if os.path.exists(path):
        return
    # Dots make sudo pass the file over until it is complete and judged (sudoers(5)).
    spare = f"{path}.new"
    with open(spare, "w") as file:
        file.write(sudoers)
    os.chmod(spare, 0o440)
    run("visudo", "-cf", spare)
    os.replace(spare, path)
    changed(f"let {user} use sudo")


def ensure_key(user: str, public_key: str) -> None:
    home = pwd.getpwnam(user).pw_dir
    folder, path = f"{home}/.ssh", f"{home}/.ssh/authorized_keys"
    ensure_folder(folder, 0o700, user)
    lines = lines_of(path)
    if public_key in lines:
        fine(f"the key of Deploynix may sign in as {user}")
        return
    with open(path, "w") as file:
        file.write("\n".join([*lines, public_key]) + "\n")
    os.chmod(path, 0o600)
    os.chown(path, os.stat(folder).st_uid, os.stat(folder).st_gid)
    changed(f"let the key of Deploynix sign in as {user}")


def lines_of(path: str) -> list[str]:
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return file.read().splitlines()
