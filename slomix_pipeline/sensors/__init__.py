"""What starts runs: sensors that watch the game server's folders, the ledger and the clock.

Belongs here: a pure decision function beside each sensor, and the few lines that gather its inputs.
Does not belong here: doing any of the work.
"""
