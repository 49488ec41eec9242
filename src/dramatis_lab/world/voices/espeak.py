"""Speaks with espeak-ng through its C library, with the time of every phoneme.

The library keeps state from one sentence to the next, so the same words would sound a little different each
time, and a crash or a hang in it would take the caller down. It therefore runs in a small process of its own
that forks once for every request: each answer comes from the same fresh state, and a request that takes too
long is killed. Run as a script, this file is that process; it needs only the standard library.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, BinaryIO

_LIBRARY = "libespeak-ng.so.1"
_SYNCHRONOUS = 2
"""AUDIO_OUTPUT_SYNCHRONOUS: the samples come by callback, and no thread is started that a fork would lose."""
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x1, 0x2, 0x8000
_LIST_END, _PHONEME = 0, 7
_UTF8, _SSML = 0x1, 0x10
_RATE, _PITCH, _RANGE = 1, 3, 4
_START_TIMEOUT_S = 20.0
_LENGTH = struct.Struct("<I")


class EspeakError(RuntimeError):
    """The engine is missing, does not know the voice, crashed or took too long."""


@dataclass(frozen=True)
class EspeakVoice:
    """`name` as in `espeak-ng --voices`, a variant after '+'; rate in words a minute; pitch and its range 0..99."""

    name: str
    rate: int = 165
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True)
class EspeakSpeech:
    """16-bit mono samples at `rate` a second, and (start sample, IPA label) of every phoneme."""

    pcm: bytes
    rate: int
    phonemes: tuple[tuple[int, str], ...]


class Espeak:
    """A running engine process; `speak` may be called as often as wanted, from one thread at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            # Isolated, so that modules beside this file cannot stand in for the standard library's.
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.rate = int(self._answer(_START_TIMEOUT_S)[0]["rate"])

    def speak(
        self, texts: Sequence[str], voice: EspeakVoice, *, ssml: bool = False, timeout_s: float = 20.0
    ) -> list[EspeakSpeech]:
        """Each text spoken on its own, in order; equal requests give equal samples.

        Raises EspeakError if the voice is unknown or the engine fails; the engine is then gone.
        """
        request = json.dumps({"texts": list(texts), "voice": asdict(voice), "ssml": ssml})
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise EspeakError("espeak-ng has stopped; run the command again.") from error
        header, pcm = self._answer(timeout_s)
        if "error" in header:
            raise EspeakError(f"espeak-ng cannot speak as {voice.name} ({header['error']}); install its voices.")
        spoken, at = [], 0
        for part in header["parts"]:
            phonemes = tuple((int(sample), str(label)) for sample, label in part["phonemes"])
            spoken.append(EspeakSpeech(pcm[at : at + part["bytes"]], self.rate, phonemes))
            at += part["bytes"]
        return spoken

    @property
    def alive(self) -> bool:
        """Whether the process is still running."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the engine's process; safe to call twice."""
        if self.alive:
            # The whole group: a stuck child of the engine must not outlive it.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _answer(self, timeout_s: float) -> tuple[dict[str, Any], bytes]:
        deadline = time.monotonic() + timeout_s
        try:
            header = json.loads(self._read(_LENGTH.unpack(self._read(_LENGTH.size, deadline))[0], deadline))
            return header, self._read(int(header.get("bytes", 0)), deadline)
        except (EspeakError, ValueError, struct.error) as error:
            self.close()
            raise EspeakError(str(error) or "espeak-ng gave no answer; run the command again.") from error

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        descriptor, parts = self._process.stdout.fileno(), []
        while size:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise EspeakError("espeak-ng took too long; run the command again.")
            part = os.read(descriptor, min(size, 1 << 20))
            if not part:
                raise EspeakError("espeak-ng is not installed or has crashed; install it and run the command again.")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def engine() -> Espeak:
    """This process's engine, started on first use and again if it has died."""
    running = _engine_of(os.getpid())
    if not running.alive:
        _engine_of.cache_clear()
        running = _engine_of(os.getpid())
    return running


@lru_cache(maxsize=1)
def _engine_of(process_id: int) -> Espeak:
    # Keyed by process: a forked child must not write into its parent's pipes.
    started = Espeak()
    atexit.register(_close_in, process_id, started)
    return started


def _close_in(process_id: int, started: Espeak) -> None:
    if os.getpid() == process_id:
        started.close()


# --- the engine's own process ---


class _Identity(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Identity),
    )  # fmt: skip


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    library = ctypes.CDLL(_LIBRARY)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT)
    _send(answers, {"rate": rate})
    for line in requests:
        child = os.fork()
        if child == 0:
            try:
                _send(answers, *_spoken(library, json.loads(line)))
            finally:
                os._exit(0)
        os.waitpid(child, 0)


def _spoken(library: ctypes.CDLL, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    samples: list[bytes] = []
    phonemes: list[tuple[int, str]] = []

    def collect(wave: int | None, count: int, events: Any) -> int:
        if wave and count > 0:
            samples.append(ctypes.string_at(wave, 2 * count))
        index = 0
        while events[index].type != _LIST_END:
            event = events[index]
            if event.type == _PHONEME:
                # The label is eight bytes without a closing zero when it fills them all.
                label = ctypes.string_at(ctypes.addressof(event.id), 8).split(b"\0")[0]
                phonemes.append((event.sample, label.decode("utf-8", "ignore")))
            index += 1
        return 0

    callback = _CALLBACK(collect)
    library.espeak_SetSynthCallback(callback)
    voice = request["voice"]
    if library.espeak_SetVoiceByName(voice["name"].encode()) != 0:
        return {"error": "unknown voice"}, b""
    for parameter, key in ((_RATE, "rate"), (_PITCH, "pitch"), (_RANGE, "pitch_range")):
        library.espeak_SetParameter(parameter, int(voice[key]), 0)
    parts, pcm = [], b""
    for text in request["texts"]:
        samples.clear()
        phonemes.clear()
        encoded = text.encode() + b"\0"
        library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8 | (_SSML if request["ssml"] else 0), None, None)
        library.espeak_Synchronize()
        sound = b"".join(samples)
        parts.append({"bytes": len(sound), "phonemes": list(phonemes)})
        pcm += sound
    return {"parts": parts}, pcm


def _send(answers: BinaryIO, header: dict[str, Any], payload: bytes = b"") -> None:
    encoded = json.dumps({**header, "bytes": len(payload)}).encode()
    answers.write(_LENGTH.pack(len(encoded)) + encoded + payload)
    answers.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
