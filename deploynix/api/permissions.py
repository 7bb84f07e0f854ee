"""What a view declares, besides the names in `deploynix.abilities`, in its `abilities` by method."""

# Any valid token will do.
ANY_TOKEN = "any token"  # noqa: S105 -- not a password
# No token is needed.
PUBLIC = "public"
