"""The process that serves the site: ``slomix site``, and a child of ``slomix run``.

Belongs here: the server and its settings. Does not belong here: what it serves (``app``), which address the database
has (``site_store.reading_url``).
"""

import gc
import logging
import os

import uvicorn
from fastapi import FastAPI

from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.site.app import create_app
from slomix_pipeline.warehouse.site_store import SiteStore

PROXIES = "127.0.0.1"  # whose word on the reader's address and scheme is taken: a web server on this machine
_HERE = "127.0.0.1"


def ready_app(settings: Settings, store: SiteStore) -> FastAPI:
    """The pages for a process that serves nothing else: what they are made of is there for good, so no reader waits
    while the garbage collector looks at all of it."""
    app = create_app(settings, store)
    gc.collect()
    gc.freeze()
    return app


def serve(settings: Settings, url: str, port: int, host: str = _HERE, proxies: str = PROXIES) -> None:
    """Serves until it is told to end. ``url``: by which the database is read; ``proxies``: addresses or networks, by
    commas, of web servers whose word on the reader's address and scheme is taken."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    uvicorn.run(
        ready_app(settings, SiteStore(url)),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # nobody's address is kept
        server_header=False,
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=2,
    )


def main() -> None:
    """The child's: its settings say all."""
    from slomix_pipeline.runtime.children import name_process

    name_process("slomix-site")
    os.nice(5)  # who reads pages never slows a round down
    settings = load_settings()
    assert settings.site_postgres_url is not None
    serve(settings, settings.site_postgres_url.get_secret_value(), settings.site_port)
