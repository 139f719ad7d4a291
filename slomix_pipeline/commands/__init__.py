"""What the commands of ``slomix`` do, one module per command that does more than print a query.

Does not belong here: arguments and exit codes (``cli``).
"""
