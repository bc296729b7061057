"""GET /healthz, /readyz and /metrics, for whoever keeps the service running."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from rag.errors import AdFontesError
from service.contract import Health
from service.dependencies import Service, ServiceDep
from service.metrics import CONTENT_TYPE
from service.problems import KINDS, NotReadyError

router = APIRouter(tags=["health"])
_VERSION = version("adfontes")


@router.get("/healthz", response_model_exclude_none=True)
async def healthz() -> Health:
    """Whether the process answers."""
    return Health(version=_VERSION)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(service: ServiceDep) -> PlainTextResponse:
    """Counters in Prometheus' text format; none of them holds what anybody asked."""
    return PlainTextResponse(service.metrics.text(), media_type=CONTENT_TYPE)


@router.get("/readyz", response_model_exclude_none=True)
def readyz(service: ServiceDep) -> Health:
    """Whether questions can be answered: the models are loaded and the default collection has an index.

    Where keys are required, only the scope `admin` is told more than that: the version, what is damaged, why not.
    """
    if service.access is None or service.access.trusts():
        return _ready(service)
    try:
        _ready(service)
    except AdFontesError:
        raise NotReadyError(KINDS["not-ready"].mend) from None
    return Health()


def _ready(service: Service) -> Health:
    if not service.ready:
        why = "the models cannot be loaded; the log says why" if service.failed else "the models are still being loaded"
        raise NotReadyError(why)
    service.workspace.generation()
    damaged = service.workspace.damaged()
    return Health(version=_VERSION, notices=[f"collection {n!r}: {why}" for n, why in damaged.items()])
