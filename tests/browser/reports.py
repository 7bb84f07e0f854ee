"""What programs report."""

import requests

from tests.browser.test_tokens import create_token
from tests.browser.window import Window

STACK = "TypeError: total is not a function\n    at checkout (/srv/app/cart.js:42:7)"


def report(window: Window) -> None:
    """An event and an error, each through the API."""
    name, _, value = create_token(window, "Reporter").partition(": ")
    event = {"kind": "deploy.finished", "actor": "ci", "text": "Version 1.4.2", "metadata": {"version": "1.4.2"}}
    error = {"message": "total is not a function", "stack": STACK, "context": {"path": "/checkout"}}
    for path, body in (("/activity/events", {"events": [event]}), ("/errors", error)):
        response = requests.post(f"{window.url}/api/v1{path}", json=body, headers={name: value}, timeout=10)
        assert response.status_code == 201, response.text
