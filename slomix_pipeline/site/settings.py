"""What the process of the pages is told of the settings.

Does not belong here: what there is to set (``slomix_pipeline.settings``).
"""

from pydantic import SecretStr

from slomix_pipeline.settings import Settings


def site_settings(settings: Settings, url: str, port: int) -> Settings:
    """What the process is to know: no secret but the address that it reads by."""
    secrets = {name: None for name, value in settings if isinstance(value, SecretStr)}
    return settings.model_copy(update={**secrets, "site_postgres_url": SecretStr(url), "site_port": port})
