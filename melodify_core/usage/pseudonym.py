"""The names that stand for a member where the member is not to be known. Nothing leads back without the salt."""

import hmac


def pseudonym(user_id: int, salt: bytes) -> str:
    """Return the member's name as 64 hex digits: HMAC-SHA256 of the id, keyed with the salt."""
    return hmac.digest(salt, str(user_id).encode(), "sha256").hex()


def alias_of(user_id: int, salt: bytes) -> int:
    """Return what stands in the ledger for a member who had themselves forgotten: no Discord id is below zero."""
    return -1 - (int(pseudonym(user_id, salt)[:15], 16) & ((1 << 59) - 1))
