"""Databases and their users on this server. Runs as root; standard input is one line of JSON.

`engine` is mariadb, mysql or postgresql. `do` is one of:

  read      Answers {"databases": [{"name", "size"}]}, without those of the system.
  find      Which of `names` and `logins` are there: {"names", "logins"}.
  create    The database `name`, which belongs to the role `owner` where there is one.
  grant     Lets `user` in to `name` with `privileges`, all or read_only. With a `password` the login is made, or gets
            it. `others` are the users that are in already.
  revoke    Takes `user` out of `name`, and with `forget` off the server.
  password  Gives `user` the `password`.
  prove     Asks the engine whether it is so: `user` has `privileges` in `name` and, where there is a `password`, can
            sign in with it.
  rights    Whether `user` is still in: {"has_rights", "has_login"}.
  drop      Removes `name` and its `owner`, and takes `logins` off the server.

Each can be done again. What was asked for is on the last line, as JSON; what cannot be done is said in lines that
begin with `refused:` and `hint:`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import engine_mysql
import engine_postgresql
from talk import Refused

FOLDER = "/run/deploynix"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """What an earlier attempt left running ends first; the lock goes with its process."""
    os.makedirs(FOLDER, mode=0o700, exist_ok=True)
    with open(f"{FOLDER}/databases.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    engine = engine_postgresql if asked["engine"] == "postgresql" else engine_mysql
    try:
        with alone():
            answer = engine.WORK[asked["do"]](asked)
    except Refused as refused:
        print(f"refused: {refused}\nhint: {refused.hint}")
        return 1
    print(json.dumps(answer or {}))
    return 0


sys.exit(main())
