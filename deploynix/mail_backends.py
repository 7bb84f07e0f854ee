"""How mail leaves. That of a dry run does not."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends import console, smtp

from deploynix.dry_run import is_dry_run


class ConsoleBackend(console.EmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return len(email_messages) if is_dry_run() else super().send_messages(email_messages)


class SmtpBackend(smtp.EmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return len(email_messages) if is_dry_run() else super().send_messages(email_messages)
