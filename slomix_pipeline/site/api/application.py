"""The application of the API, which the site mounts at ``/api``.

Belongs here: putting it together. Does not belong here: any one resource, documentation (``schema``).
"""

from fastapi import FastAPI
from starlette.types import ASGIApp

from slomix_pipeline.settings import Settings
from slomix_pipeline.site.answers import Answers
from slomix_pipeline.site.api.door import BURST, PER_MINUTE, Buckets, Door
from slomix_pipeline.site.api.kit import MOUNTED, ROUTER
from slomix_pipeline.site.api.problems import say_what_is_wrong
from slomix_pipeline.site.api.schema import resources


def create_api(settings: Settings, answers: Answers) -> ASGIApp:
    """The API over what answers pages, behind its door: also what says that an answer broke."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.settings, app.state.answers = settings, answers
    app.router.routes.extend(resources())
    say_what_is_wrong(app, f"{MOUNTED}{ROUTER.prefix}")
    return Door(app, Buckets(PER_MINUTE, BURST))
