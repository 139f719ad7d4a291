"""Whether a call is Discord's: its signature, and how old it is.

Does not belong here: what it says (``received``); nothing of a call is read before this says yes.
"""

import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OLDEST = 5 * 60  # seconds; ours, not Discord's: who caught a call can't send it again later, and clocks differ


def is_discords(key: Ed25519PublicKey, signature: str, timestamp: str, body: bytes, now: float) -> bool:
    """Whether ``body`` was signed with the other half of ``key``, and not long ago (nor, by two clocks, in a while).
    ``timestamp`` is signed too."""
    if not re.fullmatch("[0-9A-Fa-f]{128}", signature) or not re.fullmatch("[0-9]{1,12}", timestamp):
        return False
    try:
        key.verify(bytes.fromhex(signature), timestamp.encode() + body)
    except InvalidSignature:
        return False
    return abs(now - int(timestamp)) <= OLDEST
