"""How long somebody who tells waits in all, for Discord or for others who tell, whatever it is and by which webhooks.

Does not belong here: how long one call may take (``client``), who has how much (``channels``, ``sensors.outbox``).
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ENOUGH = 5.0  # seconds: a try that has fewer would be cut off, and leave in doubt what could have been sent later
_A_MOMENT = 0.05  # seconds: who has none left takes what is free
OF_A_RUN = 10.0  # seconds: what it has not sent by then waits for the outbox


@dataclass
class Patience:
    """Seconds that are left; calls take of them."""

    left: float = math.inf

    @contextmanager
    def waiting(self) -> Iterator[float | None]:
        """What may be waited for at most, in seconds, None for ever; what the ``with`` block took is taken of it."""
        began = time.monotonic()
        try:
            yield None if math.isinf(self.left) else max(self.left, _A_MOMENT)
        finally:
            self.left -= time.monotonic() - began

    @property
    def is_over(self) -> bool:
        """Whether another call is not worth beginning."""
        return self.left < ENOUGH
