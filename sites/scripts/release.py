"""Asks a release for its health page, before or after it goes live. Runs as root.

Input: one line of JSON with `mode`, `folder`, `username`, `domain`, `health_path`, `is_https` (how visitors ask), and
  check     `release`: points `next` to it, and asks over nginx's internal socket
  activate  `release`, `previous` (empty for none), `is_public`: points `current` to it and, where visitors are let in,
            asks the public address; puts the previous one back if the answer is bad
  await     `is_suspended`: waits until visitors get, or get no longer, the page of a suspended site
Exit codes: 3 the release is not there; 4 the answer is bad.
"""

import contextlib
import http.client
import json
import os
import pwd
import socket
import ssl
import sys
import time

MISSING, UNHEALTHY = 3, 4
SUSPENDED = 503
SOCKET = "/run/nginx-next/next.sock"
# nginx takes a moment to load a configuration after it was told to.
PATIENCE = 3.0
TIMEOUT = 15.0


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


class SecureConnection(http.client.HTTPConnection):
    """What is asked is this machine, so the certificate proves nothing: whether it holds is looked at elsewhere."""

    def connect(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection((self.host, 443), self.timeout)
        self.sock = context.wrap_socket(plain, server_hostname=self.server_name)


def ask(kind, values):
    """The status of the answer, or why there was none."""
    connection = kind("127.0.0.1", timeout=TIMEOUT)
    connection.server_name = values["domain"]
    try:
        connection.request("GET", values["health_path"], headers={"Host": values["domain"], "User-Agent": "Deploynix"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def public(values):
    return SecureConnection if values["is_https"] else http.client.HTTPConnection


def is_good(answer):
    return isinstance(answer, int) and answer < 400


def ask_until(kind, values, is_wanted):
    end = time.monotonic() + PATIENCE
    while True:
        answer = ask(kind, values)
        if is_wanted(answer) or time.monotonic() > end:
            return answer
        time.sleep(0.1)


def tell(values, answer):
    said = f"answered {answer}" if isinstance(answer, int) else f"did not answer: {answer}"
    print(f"GET {values['health_path']} {said}")


def point(link, release, username):
    """One rename: a visitor finds either the one or the other."""
    user = pwd.getpwnam(username)
    new = f"{link}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    os.symlink(f"releases/{release}", new)
    # nginx follows a link only to what belongs to the link's owner.
    os.chown(new, user.pw_uid, user.pw_gid, follow_symlinks=False)
    os.replace(new, link)


def require_release(values):
    if not os.path.isdir(f"{values['folder']}/releases/{values['release']}"):
        sys.exit(MISSING)


def check(values):
    require_release(values)
    point(f"{values['folder']}/next", values["release"], values["username"])
    answer = ask_until(UnixConnection, values, is_good)
    tell(values, answer)
    return is_good(answer)


def activate(values):
    require_release(values)
    current = f"{values['folder']}/current"
    point(current, values["release"], values["username"])
    if not values["is_public"]:
        return True
    answer = ask(public(values), values)
    tell(values, answer)
    if not is_good(answer):
        put_back(current, values)
    return is_good(answer)


def put_back(current, values):
    if values["previous"]:
        point(current, values["previous"], values["username"])
    else:
        os.unlink(current)


def await_status(values):
    is_suspended = values["is_suspended"]
    answer = ask_until(public(values), values, lambda status: (status == SUSPENDED) == is_suspended)
    tell(values, answer)
    # A site that serves again may well answer 503 by itself.
    return answer == SUSPENDED or not is_suspended


def main():
    values = json.loads(sys.stdin.readline())
    is_done = {"check": check, "activate": activate, "await": await_status}[values["mode"]](values)
    sys.exit(0 if is_done else UNHEALTHY)


main()
