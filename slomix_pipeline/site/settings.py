"""What the process of the pages is told of the settings.

Does not belong here: what there is to set (``slomix_pipeline.settings``).
"""

from pydantic import SecretStr

from slomix_pipeline.settings import Settings


def site_settings(settings: Settings, url: str, link_url: str, port: int) -> Settings:
    """What the process is to know: no secret but the addresses that it reads by, and notes by who asks to be linked."""
    own = {"site_postgres_url": SecretStr(url), "site_port": port}
    links = {"link_postgres_url": SecretStr(link_url)} if settings.answers_commands else {}
    return settings.without_secrets().model_copy(update={**own, **links})
