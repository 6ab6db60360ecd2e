"""Which pipelines the cluster offers.

Every pipeline application publishes an entry when it is built. The build runs in the
application's own runtime environment, so a plugin needs to be installed there only, and an entry
is there before, and whether or not, a replica runs.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.schema import (
    ApplicationStatus,
    ApplicationStatusOverview,
    DeploymentStatusOverview,
    ServeStatus,
)

from scope_serve.errors import CapacityError, PipelineNotFoundError, PipelineUnavailableError
from scope_serve.pipelines.descriptor import PipelineDescriptor
from scope_serve.serving import ray_adapter
from scope_serve.serving.failures import last_words

logger = logging.getLogger(__name__)

_PREFIX = "pipeline/"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH_DIGITS = 8
MAX_AGE_S = 2.0
_READ_TIMEOUT_S = 5.0
_GONE = {ApplicationStatus.DELETING, ApplicationStatus.NOT_STARTED}


class CatalogEntry(BaseModel):
    """One pipeline application."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deployment: str = Field(
        description="Name of its deployment. A builder does not know the name of the application "
        "it builds, so this is what the entry is found by."
    )
    descriptor: PipelineDescriptor = Field(description="The pipeline.")


class OfferedPipeline(BaseModel):
    """A pipeline application and the state it is in."""

    model_config = ConfigDict(frozen=True)

    application: str = Field(description="Name of the Serve application.")
    entry: CatalogEntry
    running_replicas: int
    message: str = Field(description="What Serve says of it; empty if all is well.")
    failure: str | None = Field(description="Why it cannot start, if its deployment failed.")


def deployment_name(pipeline_id: str) -> str:
    """Return the name of the deployment of a pipeline.

    Serve puts it into names of actors, files and gRPC headers, so an id that is long or has
    other characters than those of a plain name is replaced there, with a hash to tell it apart.
    """
    if _PLAIN_NAME.fullmatch(pipeline_id):
        return f"pipeline-{pipeline_id}"
    digest = hashlib.sha256(pipeline_id.encode(errors="surrogatepass")).hexdigest()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", pipeline_id)[:32].strip("-")
    return f"pipeline-{plain}-{digest[:_HASH_DIGITS]}"


def publish(entry: CatalogEntry) -> None:
    """Make ``entry`` known to the cluster, in place of an older one of its deployment."""
    ray_adapter.put_record(f"{_PREFIX}{entry.deployment}", entry.model_dump_json().encode())


class Catalog:
    """The pipelines on offer, as of a moment at most `MAX_AGE_S` ago."""

    def __init__(self) -> None:
        self._offered: dict[str, OfferedPipeline] = {}
        self._read_at_s = float("-inf")
        self._reading = asyncio.Lock()

    async def offered(self) -> Mapping[str, OfferedPipeline]:
        """Return every pipeline on offer, by pipeline id."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._read_at_s > MAX_AGE_S:
            async with self._reading:
                if self._read_at_s < now_s:
                    await self._read()
        return self._offered

    async def descriptors(self) -> dict[str, PipelineDescriptor]:
        """Return the descriptor of every pipeline on offer, by id."""
        return {
            name: pipeline.entry.descriptor for name, pipeline in (await self.offered()).items()
        }

    async def find(self, pipeline_id: str) -> OfferedPipeline:
        """Return the pipeline with this id.

        Raises:
            PipelineNotFoundError: It is not on offer.
            PipelineUnavailableError: Its deployment failed.
        """
        offered = await self.offered()
        if pipeline_id not in offered:
            self._read_at_s = float("-inf")
            offered = await self.offered()
        if pipeline_id not in offered:
            raise PipelineNotFoundError(pipeline_id, tuple(sorted(offered)))
        pipeline = offered[pipeline_id]
        if pipeline.failure is not None and pipeline.running_replicas == 0:
            raise PipelineUnavailableError(pipeline_id, pipeline.failure)
        return pipeline

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(_READ_TIMEOUT_S):
                status, raw = await asyncio.gather(
                    ray_adapter.status(), ray_adapter.records(_PREFIX)
                )
        except (RayError, RayServeException, TimeoutError) as error:
            # Replicas serve on while Serve's controller restarts, so what was known still holds.
            if not self._offered:
                raise CapacityError("Serve does not tell which pipelines run") from error
            logger.warning("the catalog cannot be read; the last one stays", exc_info=error)
        else:
            self._offered = offers(status, raw.values())
        self._read_at_s = asyncio.get_running_loop().time()


def offers(status: ServeStatus, records: Iterable[bytes]) -> dict[str, OfferedPipeline]:
    """Return the pipelines of the applications in ``status``, by pipeline id.

    Of several applications with one pipeline the first that runs is taken.
    """
    entries = {entry.deployment: entry for entry in map(_entry, records) if entry is not None}
    found: dict[str, OfferedPipeline] = {}
    for name, application in sorted(status.applications.items()):
        if application.status in _GONE:
            continue
        for deployment in sorted(application.deployments.keys() & entries.keys()):
            entry = entries[deployment]
            pipeline = _offer(name, entry, application)
            known = found.get(entry.descriptor.pipeline_id)
            if known is None or (pipeline.running_replicas and not known.running_replicas):
                found[entry.descriptor.pipeline_id] = pipeline
    return dict(sorted(found.items()))


def _entry(record: bytes) -> CatalogEntry | None:
    """Return the entry in ``record``; None if another version of this package wrote it."""
    try:
        return CatalogEntry.model_validate_json(record)
    except ValidationError as error:
        logger.warning("a catalog entry cannot be read and is left out: %s", error)
        return None


def _offer(
    name: str, entry: CatalogEntry, application: ApplicationStatusOverview
) -> OfferedPipeline:
    deployment = application.deployments.get(entry.deployment)
    told = (deployment.message if deployment is not None else "") or application.message
    message = last_words(told)
    return OfferedPipeline(
        application=name,
        entry=entry,
        running_replicas=ray_adapter.running_replicas(deployment),
        message=message,
        failure=(message or str(application.status))
        if _has_failed(application, deployment)
        else None,
    )


def _has_failed(
    application: ApplicationStatusOverview, deployment: DeploymentStatusOverview | None
) -> bool:
    """Return whether nothing can be hoped for: a replica that died is being replaced."""
    if application.status is ApplicationStatus.UNHEALTHY:
        return not ray_adapter.starting_replicas(deployment)
    return application.status is ApplicationStatus.DEPLOY_FAILED
