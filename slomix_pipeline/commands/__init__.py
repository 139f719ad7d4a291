"""What the commands of ``slomix`` do, each command that does more than print a query in a module or a few.

Does not belong here: arguments and exit codes (``cli``).
"""
