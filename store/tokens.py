"""Opaque identifiers."""

import secrets


def new_token() -> str:
    """132 bits of randomness, URL-safe, 22 characters."""
    return secrets.token_urlsafe(17)[:22]
