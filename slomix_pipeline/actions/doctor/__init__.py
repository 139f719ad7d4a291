"""``slomix doctor``: looks at everything a running pipeline needs; one line each, and what to do about it.

Belongs here: what is looked at, in its order. Does not belong here: the looks themselves (a module per subject),
printing (``cli``), mending anything.

It only looks: nothing is started, migrated, written or posted. It never raises and never hangs, and prints no secret.
"""

from functools import partial

from slomix_pipeline.actions.doctor import backups, chain, database, discord, gameserver, machine, settings_look
from slomix_pipeline.actions.doctor.looking import Look, carried_out
from slomix_pipeline.reports.findings import Finding
from slomix_pipeline.settings import Settings


def examine(settings: Settings) -> list[Finding]:
    """Everything there is to find, settings with their values last."""
    values = Look(settings_look.VALUES, "settings", partial(settings_look.values, settings))
    return carried_out([*_looks(settings), values])


def _looks(settings: Settings) -> list[Look]:
    return [
        Look("Settings", "settings", partial(settings_look.summary, settings)),
        Look("This machine", "home", partial(machine.home, settings), machine.HOME_FIX),
        Look("This machine", "programs", machine.programs),
        Look("This machine", "ports", partial(machine.ports, settings)),
        Look("Database", "database", partial(database.look, settings), database.LATE_FIX),
        Look("Database", "public pages", partial(database.rights, settings), database.LATE_FIX),
        *(Look("Game server", own.name, own.find, own.late_fix) for own in gameserver.servers(settings)),
        *(Look("Discord", one.name, one.find, discord.LATE_FIX) for one in discord.webhooks(settings)),
        Look("Discord", "slash commands", partial(discord.commands, settings), discord.LATE_FIX),
        Look("Backups", "backups", partial(backups.look, settings), backups.LATE_FIX),
        Look("Pipeline", "slomix run", partial(chain.processes, settings), chain.LATE_FIX),
        Look("Pipeline", "chain", partial(chain.look, settings), database.LATE_FIX),
    ]
