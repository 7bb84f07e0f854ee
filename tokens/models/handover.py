"""How the secret of a key that was rotated on schedule reaches its people."""

from django.db import models
from django.utils import timezone

from deploynix.fields import EncryptedTextField
from tokens.models.token import Token


class Handover(models.Model):
    """A one-time link to a new secret. The link's own secret is stored only as its SHA-256; `text` is emptied when the
    link is used, or its time is over. `mails_at` is when a mail with a link is due; null when none will be sent."""

    token = models.OneToOneField(Token, on_delete=models.CASCADE, related_name="handover")
    digest = models.CharField(max_length=64, unique=True)
    text = EncryptedTextField(blank=True)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    mails_at = models.DateTimeField(null=True, default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"handover of {self.token_id}"
