"""Puts up or removes the file that proves a name to a certificate authority. Runs as root.

Input: one line of JSON with `mode`, `folder`, `token`, and
  put     `authorization`, what stands in the file, and `name`: nginx is asked for it as the authority will
  remove  nothing else; the file may be gone already
Exit code 4: nginx answers something else, which is printed.
"""

import contextlib
import http.client
import json
import os
import re
import sys
import time

OTHER_ANSWER = 4
TIMEOUT = 5.0
# Right after a reload an old worker may still answer.
PATIENCE = 3.0


def put(values, path):
    descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w") as file:
        file.write(values["authorization"])
        # The folder lets nobody in but nginx.
        os.fchmod(file.fileno(), 0o644)
    os.replace(f"{path}.new", path)
    end = time.monotonic() + PATIENCE
    while (said := ask(values)) != values["authorization"]:
        if time.monotonic() > end:
            print(said[:200])
            sys.exit(OTHER_ANSWER)
        time.sleep(0.1)


def ask(values):
    connection = http.client.HTTPConnection("127.0.0.1", timeout=TIMEOUT)
    try:
        path = f"/.well-known/acme-challenge/{values['token']}"
        connection.request("GET", path, headers={"Host": values["name"], "User-Agent": "Deploynix"})
        response = connection.getresponse()
        if response.status != 200:
            return f"status {response.status}"
        return response.read(4096).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def remove(values, path):
    for name in (path, f"{path}.new"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def main():
    values = json.loads(sys.stdin.readline())
    if not re.fullmatch(r"[A-Za-z0-9_-]+", values["token"]):
        sys.exit("no token")
    {"put": put, "remove": remove}[values["mode"]](values, f"{values['folder']}/{values['token']}")


main()
