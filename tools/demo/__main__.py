"""Adds and provisions a server, deploys a site to it twice, and rolls back; prints each step, then one line of JSON.

HOST=user@address and KEY=path name a server to use; without them one is made on this machine.
"""

import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Never

import requests

from tools.demo import parts
from tools.demo.api import Api, ApiError
from tools.processes import NotStarted
from tools.targethost import LabError

DOMAIN = "demo.deploynix.test"
FIRST, SECOND = "First version", "Second version"


class Report:
    """Prints and times the steps."""

    def __init__(self) -> None:
        self.current = ""
        self.steps: list[dict[str, str | float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.current = name
        print(f"  ... {name}", flush=True)
        began = time.monotonic()
        yield
        seconds = round(time.monotonic() - began, 1)
        self.steps.append({"name": name, "seconds": seconds})
        print(f"  ok  {name} ({seconds} s)", flush=True)


def main_job(report: Report, stack: ExitStack) -> str:
    """Returns the address of the site."""
    with report.step("get a server"):
        target = wanted_target(stack)
        repository = stack.enter_context(parts.repository(target.own_address))
        repository.commit(FIRST)
    with report.step("start Deploynix"):
        api = Api(stack.enter_context(parts.install()))
    with report.step("register"):
        api.register(name="Demo", email="demo@deploynix.test", password=secrets.token_urlsafe(16), organization="Demo")
    with report.step("add and provision the server"):
        server = add_server(api, target)
    with report.step("create the site"):
        site = create_site(api, server, repository.url)
    url = f"http://{target.address}/"
    with report.step("deploy"):
        api.wait(api.post(f"{site}/deploy"))
        expect(url, FIRST)
    with report.step("deploy a second commit"):
        repository.commit(SECOND)
        api.wait(api.post(f"{site}/deploy"))
        expect(url, SECOND)
    with report.step("roll back"):
        api.wait(api.post(f"{site}/rollback"))
        expect(url, FIRST)
    return url


def wanted_target(stack: ExitStack) -> parts.Target:
    if host := os.environ.get("HOST"):
        return parts.own_server(host, os.environ.get("KEY", "~/.ssh/id_ed25519"))
    return stack.enter_context(parts.target_host())


def add_server(api: Api, target: parts.Target) -> str:
    """Returns the server's path in the API."""
    answer = api.post(
        "/servers",
        provider="custom",
        name="demo",
        ip_address=target.address,
        ssh_port=target.port,
        login_user=target.user,
        private_key=target.private_key,
        database_type="none",
        **({"host_key": target.host_key} if target.host_key else {}),
    )
    api.wait(answer)
    return f"/servers/{answer['data']['id']}"


def create_site(api: Api, server: str, repository_url: str) -> str:
    """Returns the site's path in the API."""
    answer = api.post(f"{server}/sites", domain=DOMAIN, type="static", repository_url=repository_url, branch="main")
    if "job" in answer:
        api.wait(answer)
    return f"{server}/sites/{answer['data']['id']}"


def expect(url: str, text: str) -> None:
    """Asks the server itself, by address and name, for there is no DNS for the demo's domain."""
    answer = requests.get(url, headers={"Host": DOMAIN}, timeout=10)
    if answer.status_code != 200 or text not in answer.text:
        raise ApiError(f"{url} answers {answer.status_code} without {text!r}: {answer.text[:200]}")


def interrupt(number: int, frame: FrameType | None) -> Never:
    raise KeyboardInterrupt


def main() -> int:
    # An order to end cleans up like Ctrl-C does.
    signal.signal(signal.SIGTERM, interrupt)
    report = Report()
    try:
        with ExitStack() as stack:
            url = main_job(report, stack)
            result = {"ok": True, "steps": report.steps, "url": url}
    except LabError as error:
        hint = "A server of your own will do: make demo HOST=root@address KEY=path-of-a-private-key"
        result = {"ok": False, "step": report.current, "error": f"{error}. {hint}"}
    except (ApiError, parts.PartError, NotStarted, requests.RequestException, OSError) as error:
        result = {"ok": False, "step": report.current, "error": str(error)}
    except KeyboardInterrupt:
        result = {"ok": False, "step": report.current, "error": "interrupted"}
    print(json.dumps(result), flush=True)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
