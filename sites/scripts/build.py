"""Makes a release: checks a commit out, links what is shared, runs the build commands. Runs as the site's own user.

Input: one line of JSON with `folder`, `release` (the release's folder), `in_place`, `commit`, `shared_folders`,
`commands` and `environment`.
Exit codes: 3 the files could not be written; 100 + n: command n, counted from 0, failed.
"""

import json
import os
import shutil
import subprocess
import sys

CHECKOUT_FAILED, COMMAND_FAILED = 3, 100
LITTLE_SPACE = 1 << 20
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def say(text):
    print(text, flush=True)


def check_out(repository, release, commit, in_place):
    index = os.path.join(repository, f"{os.path.basename(release)}.index")
    if not in_place:
        remove(release)
        remove(index)
    os.makedirs(release, exist_ok=True)
    environment = {"PATH": PATH, "GIT_INDEX_FILE": index, "GIT_CONFIG_GLOBAL": "/dev/null", "LANG": "C.UTF-8"}
    git = ["git", f"--git-dir={repository}", f"--work-tree={release}"]
    # With the index of the time before, files that have left the repository leave the folder too.
    subprocess.run([*git, "read-tree", "--reset", "-u", commit], env=environment, cwd=release, check=True)
    if not in_place:
        remove(index)


def remove(path):
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)


def link(target, path):
    remove(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)


def share(shared, release, folders):
    if os.path.exists(f"{shared}/.env"):
        link(f"{shared}/.env", f"{release}/.env")
    for folder in folders:
        source, place = f"{shared}/folders/{folder}", f"{release}/{folder}"
        if not os.path.exists(source):
            first_content(place, source)
        link(source, place)


def first_content(place, source):
    """What the repository has in a shared folder is where that folder starts from."""
    if os.path.isdir(place):
        shutil.copytree(place, source, symlinks=True)
    else:
        os.makedirs(source)


def tell_if_full(path):
    disk = os.statvfs(path)
    if disk.f_bavail * disk.f_frsize < LITTLE_SPACE or (disk.f_files and not disk.f_favail):
        say("The disk of the server is full.")


def run(command, release, environment):
    say(f"$ {command}")
    result = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", command], cwd=release, env=environment, stdin=subprocess.DEVNULL
    )
    return result.returncode


def main():
    values = json.loads(sys.stdin.readline())
    folder = values["folder"]
    release = f"{folder}/releases/{values['release']}"
    try:
        check_out(f"{folder}/repo.git", release, values["commit"], values["in_place"])
        share(f"{folder}/shared", release, values["shared_folders"])
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"The files of the commit could not be written: {error}.")
        tell_if_full(f"{folder}/releases")
        sys.exit(CHECKOUT_FAILED)
    base = {name: os.environ[name] for name in ("HOME", "USER", "LOGNAME") if name in os.environ}
    environment = {"PATH": PATH, "LANG": "C.UTF-8", **base, **values["environment"]}
    for number, command in enumerate(values["commands"]):
        status = run(command, release, environment)
        if status != 0:
            say(f"This command failed with exit status {status}: {command}")
            tell_if_full(release)
            sys.exit(COMMAND_FAILED + number)


main()
