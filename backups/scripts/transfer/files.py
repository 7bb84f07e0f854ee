"""The files that the releases of a site share."""

from __future__ import annotations

import os
import pwd
import subprocess
from typing import Any

from pipeline import Program
from talk import Failed

TAR = ["tar", "--create", "--file=-", "--format=posix", "--one-file-system", "--xattrs", "--acls", "--sort=name"]
# 1: a file changed while it was read, which in a folder that is in use is no failure.
TAR_ACCEPTED = (0, 1)


def dump(values: dict[str, Any]) -> Program:
    """As the site's own user: a link that leads out of the folder opens nothing that the site may not read."""
    command = [*as_user(values), *TAR, f"--directory={values['folder']}", "."]
    return Program("dump", "tar", command, accepted=TAR_ACCEPTED)


def facts(values: dict[str, Any]) -> dict[str, Any]:
    """`size` is in bytes."""
    if not os.path.isdir(values["folder"]):
        hint = "Deploy the site first; a site without shared folders has nothing to back up."
        raise Failed("prepare", "The site has no shared files on the server.", hint)
    command = [*as_user(values), "du", "--summarize", "--bytes", "--one-file-system", "--", values["folder"]]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        hint = "They must belong to the site's own user."
        raise Failed("prepare", f"The shared files cannot be read: {done.stderr.strip()[-500:]}", hint)
    return {"size": int(done.stdout.split()[0])}


def as_user(values: dict[str, Any]) -> list[str]:
    user = pwd.getpwnam(values["user"])
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", "--"]
