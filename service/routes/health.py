"""GET /healthz and /readyz, for whoever keeps the service running."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter

from rag.errors import ModelError
from service.contract import Health
from service.dependencies import ServiceDep

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> Health:
    """Whether the process answers."""
    return Health(version=version("adfontes"))


@router.get("/readyz")
def readyz(service: ServiceDep) -> Health:
    """Whether questions can be answered: the models are loaded and the default collection has an index."""
    if service.failure is not None:
        raise service.failure
    if not service.ready:
        raise ModelError("the models are still being loaded")
    service.workspace.generation()
    return Health(version=version("adfontes"))
