"""Encrypted columns. The keys come from FERNET_KEYS: the first encrypts, all of them decrypt."""

from typing import Any, cast

from cryptography.fernet import MultiFernet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from fernet_fields import EncryptedJSONField as BaseJSONField
from fernet_fields import EncryptedTextField as BaseTextField


def _is_expression(value: Any) -> bool:
    return hasattr(value, "resolve_expression")


class EncryptedTextField(BaseTextField):  # type: ignore[misc]
    """A text that is stored encrypted."""

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        # bulk_update hands over a CASE expression; encrypting its text would corrupt every row.
        if _is_expression(value):
            return value
        return super().get_db_prep_save(value, connection)


class EncryptedJSONField(BaseJSONField):  # type: ignore[misc]
    """Any JSON value, stored as encrypted text."""

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if _is_expression(value):
            return value
        return super().get_db_prep_save(value, connection)


ENCRYPTED_FIELDS: tuple[type[Field[Any, Any]], ...] = (EncryptedTextField, EncryptedJSONField)


def fernet() -> MultiFernet:
    """Encrypts, under the same keys, what is not a column: `fernet().encrypt(b"...")`."""
    return cast(MultiFernet, EncryptedTextField().fernet)
