"""GET /healthz, /readyz and /metrics, for whoever keeps the service running."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from service.contract import Health
from service.dependencies import ServiceDep
from service.metrics import CONTENT_TYPE
from service.problems import NotReadyError

router = APIRouter(tags=["health"])
_VERSION = version("adfontes")


@router.get("/healthz")
async def healthz() -> Health:
    """Whether the process answers."""
    return Health(version=_VERSION)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(service: ServiceDep) -> PlainTextResponse:
    """Counters in Prometheus' text format; none of them holds what anybody asked."""
    return PlainTextResponse(service.metrics.text(), media_type=CONTENT_TYPE)


@router.get("/readyz")
def readyz(service: ServiceDep) -> Health:
    """Whether questions can be answered: the models are loaded and the default collection has an index."""
    if not service.ready:
        why = "the models cannot be loaded; the log says why" if service.failed else "the models are still being loaded"
        raise NotReadyError(why)
    service.workspace.generation()
    damaged = service.workspace.damaged()
    return Health(version=_VERSION, notices=[f"collection {n!r}: {why}" for n, why in damaged.items()])
