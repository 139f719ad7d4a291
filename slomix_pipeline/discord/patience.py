"""How long somebody who tells waits for Discord in all, whatever he tells and by which webhooks.

Does not belong here: how long one call may take (``client``), who has how much (``channels``, ``sensors.outbox``).
"""

import math
from dataclasses import dataclass

ENOUGH = 5.0  # seconds: a try that has fewer would be cut off, and leave in doubt what could have been sent later
OF_A_RUN = 10.0  # seconds: what it has not sent by then waits for the outbox


@dataclass
class Patience:
    """Seconds that are left; calls take of them."""

    left: float = math.inf

    @property
    def is_over(self) -> bool:
        """Whether another call is not worth beginning."""
        return self.left < ENOUGH
