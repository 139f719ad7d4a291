"""How sure a share is that was counted: the interval in which it lies in 95 of 100 cases (Wilson).

Belongs here: that interval, and by how many standard deviations intervals reach. Does not belong here: what is
counted.
"""

from math import sqrt

Z = 1.96  # of 95 in 100
Z_80 = 1.28  # of 80 in 100: where less has to be sure


def likely_share(part: int, whole: int) -> tuple[float, float]:
    """The lowest and the highest share, 0 to 1, that ``part`` of ``whole`` speaks for; of nothing 0 to 1."""
    if not whole:
        return 0.0, 1.0
    share, spread = part / whole, Z * Z / whole
    middle = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
