"""Asset checks, by validation layer, and the one helper that reports them.

Belongs here: which checks exist and how an outcome per round becomes what Dagster shows.
Does not belong here: the looking itself, which each stage does with the values it has in hand.
"""
