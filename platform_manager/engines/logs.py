"""Parse log streams of an engine in runs of whole lines, made for hundreds of thousands of lines a second."""

from struct import Struct

from platform_manager.engines.errors import EngineAnswerTooLarge, EngineError

STDOUT, STDERR, SYSTEM = 1, 2, 3
HEADER = Struct(">B3sI").unpack_from
HEADER_BYTES = 8
ZEROS = b"\0\0\0"
NEWLINE = 0x0A

Run = tuple[int, bytes]
"""One stream (STDOUT or STDERR) and whole lines of it, each ending in a newline."""


class FrameSplitter:
    """Cuts raw reads into frames, holding back an incomplete one; a header over the cap raises at once."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._waiting: list[bytes] = []
        self._held = 0
        self._needed = 0

    def feed(self, data: bytes) -> list[Run]:
        """The frames completed by one read, as (stream, payload)."""
        if self._waiting:
            # Joined only when the frame can be complete: a host that sends single bytes costs no copy each.
            self._waiting.append(data)
            self._held += len(data)
            if self._held < self._needed:
                return []
            data = b"".join(self._waiting)
        frames, position = self._split(data)
        self._waiting = [data[position:]] if position < len(data) else []
        self._held = len(data) - position
        return frames

    def _split(self, data: bytes) -> tuple[list[Run], int]:
        frames: list[Run] = []
        append, header, cap = frames.append, HEADER, self._frame_bytes
        position, end = 0, len(data)
        while position + HEADER_BYTES <= end:
            stream, zeros, size = header(data, position)
            if not 0 < stream <= SYSTEM or zeros != ZEROS:
                raise EngineError("The Docker engine sent something else than a log stream.")
            if size > cap:
                raise EngineAnswerTooLarge(f"The Docker engine announced a log frame of {size} bytes.")
            start = position + HEADER_BYTES
            if start + size > end:
                self._needed = HEADER_BYTES + size
                return frames, position
            position = start + size
            append((stream, data[start:position]))
        self._needed = HEADER_BYTES
        return frames, position


class LogParser:
    """Turns raw reads into batches of runs; keeps back only what is not yet a whole line.

    The engine breaks lines over 16 KiB into frames that each repeat the line's prefix (timestamp, details);
    ``prefixes`` says how many space-ended words that prefix has. A line over ``frame_bytes`` is cut there.
    """

    def __init__(self, frame_bytes: int, prefixes: int) -> None:
        self._frame_bytes = frame_bytes
        self._prefixes = prefixes
        self._splitter = FrameSplitter(frame_bytes)
        self._partial: dict[int, list[bytes]] = {}
        self._partial_bytes = 0

    def feed(self, data: bytes) -> list[Run]:
        """The runs completed by one read."""
        runs: list[Run] = []
        current = 0
        lines: list[bytes] = []
        partial = self._partial
        for stream, line in self._splitter.feed(data):
            if stream != current:
                if lines:
                    runs.append((current, b"".join(lines)))
                    lines = []
                current = stream
            if partial or not line or line[-1] != NEWLINE or stream == SYSTEM:
                line = self._piece(stream, line)
            if line:
                lines.append(line)
        if lines:
            runs.append((current, b"".join(lines)))
        return runs

    def _piece(self, stream: int, line: bytes) -> bytes:
        """The whole line this piece completes, or nothing yet."""
        if stream == SYSTEM:
            words = line.decode(errors="replace").strip()
            raise EngineError(f"The Docker engine could not read the log: {words[:300]}", detail=words)
        pieces = self._partial.setdefault(stream, [])
        if pieces and line:
            line = line.split(b" ", self._prefixes)[-1]
        pieces.append(line)
        self._partial_bytes += len(line)
        ended = line[-1:] == b"\n"
        if not ended and self._partial_bytes < self._frame_bytes:
            return b""
        del self._partial[stream]
        line = b"".join(pieces)
        self._partial_bytes -= len(line)
        return line if ended else line + b"\n"

    def finish(self) -> list[Run]:
        """What was left without its newline when the stream ended."""
        left = [(stream, b"".join(pieces) + b"\n") for stream, pieces in sorted(self._partial.items())]
        self._partial.clear()
        return [run for run in left if run[1] != b"\n"]


class TerminalParser:
    """The same for a container with a terminal: no frames, one stream, lines as they are."""

    def __init__(self, line_bytes: int) -> None:
        self._line_bytes = line_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Run]:
        """The whole lines completed by one read."""
        head, newline, tail = data.rpartition(b"\n")
        if newline:
            lines = bytes(self._rest) + head + newline
            self._rest = bytearray(tail)
            return [(STDOUT, lines)]
        self._rest += data
        if len(self._rest) < self._line_bytes:
            return []
        return self.finish()

    def finish(self) -> list[Run]:
        """What was left without its newline when the stream ended."""
        left, self._rest = bytes(self._rest), bytearray()
        return [(STDOUT, left + b"\n")] if left else []
