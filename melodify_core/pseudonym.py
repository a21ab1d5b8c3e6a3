"""The name under which providers and storage know a member. Nothing leads back from it without the salt."""

import hashlib
import hmac


def pseudonym(user_id: int, salt: bytes) -> str:
    """Return the member's name as 64 hex digits: HMAC-SHA256 of the id, keyed with the salt."""
    return hmac.new(salt, str(user_id).encode(), hashlib.sha256).hexdigest()
