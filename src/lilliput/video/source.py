"""What footage comes from: a file, an address on the network, or a device."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from lilliput.errors import VideoError
from lilliput.video.container import SCHEMES
from lilliput.video.decode import VIDEO_SUFFIXES

# Some cameras take passwords as parameters instead: rtsp://host/user=a&password=b&channel=1
_SECRETS = re.compile(
    r"(?i)((?:^|[/?&;_-])(?:password|passwd|pass|pwd|token|secret|key|auth|signature|sig)=)[^&;/#]*"
)
# A password may hold any character; an address with a port and a later @ may hold one too.
_USER = re.compile(r"://(?:[^/?#]*@|[^/?#]*:.*@)")


@dataclass(frozen=True)
class Source:
    """Where footage comes from.

    Attributes:
        text: As it was given; it may hold a password.
        kind: What it is.
        is_live: Whether it never ends, so that its end is a loss. An address whose path ends
            like a video file's is a recording.
    """

    text: str
    kind: Literal["file", "address", "device"]
    is_live: bool

    @classmethod
    def parse(cls, text: str) -> "Source":
        """Tells files, addresses and devices apart; opens nothing.

        Raises:
            VideoError: It is an address that cannot be one, or of an unknown kind.
        """
        if "://" not in text:
            is_device = Path(text).is_char_device() or text.startswith("/dev/video")
            return cls(text, "device" if is_device else "file", is_device)
        scheme = text.partition("://")[0].lower()
        if scheme not in SCHEMES:
            known = ", ".join(f"{known}://" for known in SCHEMES)
            raise VideoError(f"'{scheme}://' addresses cannot be watched; give {known} or a file")
        try:
            parts = urlsplit(text)
            is_address = bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address or re.search(r"[\s\x00-\x1f]", text):
            raise VideoError(
                f"the {scheme}:// address is malformed; write {scheme}://user:password@host:port/"
                "path, with %40 for an @ and %2F for a / in the password"
            )
        is_recording = Path(parts.path).suffix.lower() in VIDEO_SUFFIXES and scheme[0] == "h"
        return cls(text, "address", not is_recording)

    @property
    def shown(self) -> str:
        """How it is named wherever someone may read it: without user and password, as UTF-8."""
        if self.kind != "address":
            return self.text.encode(errors="backslashreplace").decode()
        return _SECRETS.sub(r"\1***", _USER.sub("://", self.text))

    def __repr__(self) -> str:
        return f"Source({self.shown!r})"
