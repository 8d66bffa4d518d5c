"""The routes below ``/v1``, and those that machines ask."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from lilliput.server.job import Job
from lilliput.server.service import Service, telling_less
from lilliput.server.settings import DETECTOR_NAMES
from lilliput.watch.records import to_record

_VIDEO = {"type": "string", "format": "binary", "description": "The file."}
_DETECTOR = {
    "type": "string",
    "enum": list(DETECTOR_NAMES),
    "description": "What finds who acts; none watches the whole picture as one.",
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "Not a multipart form, or one without a field 'video'."},
    401: {"description": "The token is missing or wrong."},
    408: {"description": "The upload comes too slowly."},
    413: {"description": "The upload has too many bytes."},
    415: {"description": "The upload is not a video."},
    422: {"description": "The video cannot be read, lasts too long or is too large."},
    429: {"description": "Too many videos are waiting; Retry-After says when to come back."},
    503: {"description": "The server is about to end."},
}
_LATE: dict[int | str, dict[str, Any]] = {504: {"description": "It took too long."}}
_NO_JOB = "there is no such job; it may have expired"


def build_router(service: Service) -> APIRouter:
    """The routes of one server."""
    router = APIRouter()
    _add_uploads(router, service)
    _add_jobs(router, service)
    _add_facts(router, service)
    return router


def _form(**properties: dict[str, Any]) -> dict[str, Any]:
    """A request body, for those who read the description."""
    schema = {"type": "object", "required": ["video"], "properties": properties}
    return {"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}}


def _add_uploads(router: APIRouter, service: Service) -> None:
    @router.post("/v1/recognize", responses=_REFUSALS | _LATE, openapi_extra=_form(video=_VIDEO))
    async def recognize(request: Request) -> Response:
        """Recognise the actions in a clip: labels, scores, and the scores of each window."""
        return Response(await service.recognize(request), media_type="application/json")

    @router.post(
        "/v1/watch",
        status_code=202,
        responses=_REFUSALS,
        openapi_extra=_form(video=_VIDEO, detector=_DETECTOR),
    )
    async def watch(request: Request, detector: str | None = None) -> JSONResponse:
        """Watch a video: a job that finds who does what, when and where.

        ``detector`` may be a field of the form as well: motion, people, or none for the whole
        picture.
        """
        job = await service.watch(request, detector)
        place = {"Location": f"/v1/jobs/{job.job_id}"}
        return JSONResponse({"job": job.job_id, "state": job.state}, 202, place)


def _add_jobs(router: APIRouter, service: Service) -> None:
    def find(job_id: str) -> Job:
        job = service.jobs.find(job_id)
        if job is None:
            raise HTTPException(404, _NO_JOB)
        return job

    responses: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such job."}}

    @router.get("/v1/jobs/{job_id}", responses=responses)
    async def read_job(job_id: str) -> Response:
        """Tell how far a job is, and its result once it is done."""
        return Response(find(job_id).to_json(), media_type="application/json")

    @router.get("/v1/jobs/{job_id}/stream", responses=responses)
    async def stream_job(job_id: str) -> StreamingResponse:
        """Tell of a job as it goes on, by server-sent events, until it is over.

        ``progress`` (progress, speed), ``event`` (kind: new, update or end; event: the record,
        which takes the place of an earlier one of its event_id), then ``done`` or ``failed``.
        """
        stream: AsyncIterator[str] = find(job_id).news.stream()
        return StreamingResponse(stream, media_type="text/event-stream")

    @router.delete("/v1/jobs/{job_id}", status_code=204, responses=responses)
    async def delete_job(job_id: str) -> Response:
        """Cancel a job and forget it."""
        service.jobs.remove(find(job_id))
        return Response(status_code=204)


def _add_facts(router: APIRouter, service: Service) -> None:
    @router.get("/v1/events", responses={404: {"description": "There is no database."}})
    def read_events(
        camera: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        min_score: Annotated[float, Query(ge=0, le=1)] = 0.0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    ) -> dict[str, Any]:
        """Search the events that are stored, the newest first; times need a time zone."""
        if service.store is None:
            raise HTTPException(404, "no events are stored; start the server with --database")
        from lilliput.watch.database import EventQuery

        query = EventQuery(
            camera, action, since, until, min_score, limit, offset, newest_first=True
        )
        with telling_less():
            events = [to_record(event) for event in service.store.query(query)]
            return {"events": events, "total": service.store.count(query)}

    @router.get("/v1/model")
    async def read_model() -> dict[str, Any]:
        """Tell the model's classes and thresholds, and the server's limits."""
        description = service.recognizer.description
        settings = service.settings
        return {
            "task": description.task,
            "class_names": list(description.labels.class_names),
            "thresholds": list(description.thresholds),
            "note": service.recognizer.note,
            "limits": settings.limits.model_dump(),
            "detectors": list(service.detectors),
            "detector": settings.detector,
            "token_required": settings.token is not None,
            "has_database": service.store is not None,
        }

    @router.get("/healthz")
    async def read_health() -> dict[str, str]:
        """Tell that the server is alive."""
        return {"status": "ok"}

    @router.get("/metrics")
    async def read_metrics() -> Response:
        """Tell Prometheus what was counted."""
        return Response(service.metrics.render(), media_type="text/plain; version=0.0.4")
