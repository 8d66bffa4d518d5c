"""What the routes have in common: the model, the jobs, the uploads, the database, the counters."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException, Request

from lilliput.errors import DataError, LilliputError
from lilliput.inference.recognizer import Recognizer
from lilliput.server import work
from lilliput.server.job import Job, State, Work
from lilliput.server.jobs import ClosedError, Jobs, Place, QueueFullError
from lilliput.server.metrics import Metrics
from lilliput.server.settings import ServerSettings
from lilliput.server.uploads import Upload, UploadFolder, receive_upload
from lilliput.video.screening import NotVideoError, Screened, screen_video

if TYPE_CHECKING:
    from lilliput.watch.database import EventStore

_RETRY_SECONDS = "10"

logger = logging.getLogger(__name__)


class Service:
    """Takes videos in and has them worked on.

    Args:
        settings: Limits and the database.
        recognizer: The model.
        watch: How a video is watched.

    Raises:
        LilliputError: The database cannot be opened.
    """

    def __init__(self, settings: ServerSettings, recognizer: Recognizer, watch: work.Watch) -> None:
        self.settings = settings
        self.recognizer = recognizer
        self.store = _open_store(settings.database)
        self.jobs = Jobs(settings.limits)
        self.metrics = Metrics(self.jobs)
        self.detectors = work.find_detectors()
        self._watch = watch
        self._folder: UploadFolder | None = None
        self._engine_lock = Lock()

    def open(self) -> None:
        """Makes the folder for uploads."""
        self._folder = UploadFolder()

    def close(self) -> None:
        """Cancels what is running; nothing stays on disk."""
        self.jobs.close()
        if self._folder is not None:
            self._folder.close()
        if self.store is not None:
            self.store.close()

    async def recognize(self, request: Request) -> bytes:
        """Scores and labels of the clip in a request, as JSON.

        Raises:
            HTTPException: With the status that fits.
        """
        place, upload, _ = await self._take(request)

        def recognize_upload(job: Job) -> dict[str, Any]:
            return work.recognize(self._shared(job), upload)

        job = self._submit("recognize", place, upload, recognize_upload)
        try:
            await _first_of(job.news.wait_for_end(), _wait_for_goodbye(request))
        finally:
            self.jobs.remove(job)  # which cancels it, if the client has gone away
        if job.result is None:
            status = 503 if job.state == "cancelled" else job.status
            raise HTTPException(status, job.error or "the server is about to end; try again later")
        return job.result

    async def watch(self, request: Request, detector: str | None) -> Job:
        """Queues the video in a request.

        Raises:
            HTTPException: With the status that fits.
        """
        place, upload, screened = await self._take(request)
        chosen = upload.fields.get("detector") or detector or self.settings.detector
        if chosen not in self.detectors:
            upload.remove()
            place.release()
            raise HTTPException(422, f"detector: use one of {', '.join(self.detectors)}")

        def watch_upload(job: Job) -> dict[str, Any]:
            viewing = self._watch(self._shared(job), upload.path, chosen)
            limits = self.settings.limits
            result, found = work.watch(job, viewing, upload, screened, limits.max_duration_seconds)
            self.metrics.count_watch(found.num_frames, found.events)
            if self.store is not None:
                with telling_less():
                    self.store.add(found.events)
            return result

        return self._submit("watch", place, upload, watch_upload)

    def _shared(self, job: Job) -> Recognizer:
        return work.share(self.recognizer, self._engine_lock, job.check)

    async def _take(self, request: Request) -> tuple[Place, Upload, Screened]:
        """A place in the queue first, so that nobody uploads in vain; then the video."""
        assert self._folder is not None
        try:
            place = self.jobs.reserve()
        except QueueFullError as error:
            raise HTTPException(429, str(error), {"Retry-After": _RETRY_SECONDS}) from None
        except ClosedError as error:
            raise HTTPException(503, str(error)) from None
        try:
            upload = await receive_upload(request, self._folder, self.settings.limits)
        except BaseException:
            place.release()
            raise
        self.metrics.upload_bytes.inc(upload.num_bytes)
        try:
            return place, upload, await asyncio.to_thread(self._screen, upload)
        except BaseException:
            upload.remove()
            place.release()
            raise

    def _screen(self, upload: Upload) -> Screened:
        limits = self.settings.limits
        try:
            return screen_video(upload.path, limits.max_duration_seconds, limits.max_frame_pixels)
        except NotVideoError as error:
            raise HTTPException(415, str(error).replace(str(upload.path), "the upload")) from None
        except LilliputError as error:
            raise HTTPException(422, str(error).replace(str(upload.path), "the upload")) from None

    def _submit(self, kind: str, place: Place, upload: Upload, do: Work) -> Job:
        def end(job: Job, state: State) -> None:
            upload.remove()
            job.error = job.error and job.error.replace(str(upload.path), "the upload")
            self.metrics.count_job(job, state)

        try:
            return self.jobs.submit(kind, place, do, end)
        except ClosedError as error:
            upload.remove()
            place.release()
            raise HTTPException(503, str(error)) from None


async def _first_of(*waits: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _wait_for_goodbye(request: Request) -> None:
    """Until the client has gone away; its body has been read already."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@contextmanager
def telling_less() -> Iterator[None]:
    """Around the database: clients need not know where it lies.

    Raises:
        DataError: It fails; the log tells why.
    """
    try:
        yield
    except DataError as error:
        logger.error("the events database: %s", error)
        raise DataError("the events database does not answer; the server's log tells why") from None


def _open_store(url: str | None) -> EventStore | None:
    if url is None:
        return None
    from lilliput.watch.database import EventStore

    return EventStore(url)
