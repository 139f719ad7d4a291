"""The processes: the home and Dagster's instance, the supervisor of ``slomix run`` and its children, dead runs.

Belongs here: starting, watching and ending. Does not belong here: what the work is (``stages``, ``assets``).
"""
