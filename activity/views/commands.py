"""Commands that show how to report something."""

import json
from typing import Any

from django.http import HttpRequest


def report_command(request: HttpRequest, path: str, body: dict[str, Any]) -> str:
    """One curl line, with a token from the environment."""
    address = request.build_absolute_uri(f"/api/v1{path}")
    header = '-H "Authorization: Bearer $DEPLOYNIX_TOKEN" -H "Content-Type: application/json"'
    return f"curl {address} {header} -d '{json.dumps(body)}'"
