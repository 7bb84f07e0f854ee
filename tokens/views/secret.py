"""The text of a token that was just made: kept for the next page, which shows it, and for no other."""

from django.http import HttpRequest

from deploynix.fields import fernet
from tokens.models import Token
from tokens.passphrase import HEADER
from tokens.views.base import KIND_PAGES
from tokens.wire import WireToken, parse

# Any token may ask it, and learns whether it works.
TEST_PATH = "/api/v1/auth/test"
# Holds the text, encrypted.
NEW_TOKEN = "new_token"  # noqa: S105 -- the name of a session key


def keep_secret(request: HttpRequest, text: str) -> None:
    request.session[NEW_TOKEN] = fernet().encrypt(text.encode()).decode()


def take_secret(request: HttpRequest) -> dict[str, str]:
    """What `components/secret.html` shows of the new token; nothing where there is none."""
    kept = request.session.pop(NEW_TOKEN, "")
    wire = parse(fernet().decrypt(kept).decode()) if kept else None
    return _how_to_use(request, wire) if wire else {}


def _how_to_use(request: HttpRequest, wire: WireToken) -> dict[str, str]:
    """The header line that the token is sent in, and a command that works right away."""
    token = Token.objects.get(public_id=wire.public_id)
    header = f"Authorization: Bearer {wire.text}"
    headers = [header, *([f"{HEADER}: YOUR_PASSPHRASE"] if token.passphrase else []), "Accept: application/json"]
    command = " ".join(["curl", request.build_absolute_uri(TEST_PATH), *(f'-H "{line}"' for line in headers)])
    return {"secret_title": f"Your new {KIND_PAGES[token.kind].noun}", "header": header, "curl": command}
