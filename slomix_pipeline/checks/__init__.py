"""Asset checks, by validation layer: which exist, what makes one fail, and the one helper that reports them.

Belongs here: how findings per round become what Dagster shows.
Does not belong here: laws and bounds (``rules``), where outcomes are kept (``warehouse.check_results``).
"""
