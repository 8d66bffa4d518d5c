"""What can be set of the server, and what it allows its clients."""

from ipaddress import ip_address
from typing import Annotated, Literal, get_args

from pydantic import Field, SecretStr

from lilliput.config.section import Count, Section
from lilliput.watch.settings import Seconds

DetectorName = Literal["motion", "people", "none"]
DETECTOR_NAMES: tuple[str, ...] = get_args(DetectorName)


class Limits(Section):
    """What a client may ask for.

    A refused upload is answered 413 when it has too many bytes, 422 when it lasts too long or its
    pictures are too large, 408 when it comes too slowly, and 504 when working on it takes too long.
    """

    max_upload_bytes: Count = 512 * 2**20
    upload_seconds: Seconds = 900.0  # a whole upload
    silence_seconds: Seconds = 20.0  # between two pieces of one
    max_duration_seconds: Seconds = 3600.0
    max_frame_pixels: Count = 3840 * 2160
    job_seconds: Seconds = 3600.0
    running_jobs: Annotated[int, Field(ge=1, le=64)] = 1
    waiting_jobs: Annotated[int, Field(ge=0, le=1000)] = 8
    keep_seconds: Seconds = 3600.0  # that the result of a job can be asked for


class ServerSettings(Section):
    """Where the server listens, to whom, and what it keeps."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    token: SecretStr | None = None
    database: str | None = None  # URL of the events database
    detector: DetectorName = "motion"  # where a request names none
    limits: Limits = Limits()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
