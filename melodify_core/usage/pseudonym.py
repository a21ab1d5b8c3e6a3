"""Computes pseudonyms of members. Without the salt, nobody can tell the member from the pseudonym."""

import hmac


def pseudonym(user_id: int, salt: bytes) -> str:
    """Return the member's pseudonym as 64 hex digits: HMAC-SHA256 of the id, keyed with the salt."""
    return hmac.digest(salt, str(user_id).encode(), "sha256").hex()


def alias_of(user_id: int, salt: bytes) -> int:
    """Return the user id of a forgotten member in the ledger. It is negative, unlike any Discord id."""
    return -1 - (int(pseudonym(user_id, salt)[:15], 16) & ((1 << 59) - 1))
