"""`kubectl exec` over WebSockets: a command in a pod's folder, environment and control group.

Protocol: https://kubernetes.io/docs/reference/ (remote command v4, v5): the first byte of each
message is the channel; v5 adds channel 255, which closes another one.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace

from aiohttp import WSMsgType, web

from cluster.process_pod import PodCommand, dies_with_parent

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _CLOSE = 0, 1, 2, 3, 255
_CHUNK_BYTES = 32 << 10
_NOT_STARTED = 127


async def serve_exec(
    request: web.Request, pod: PodCommand, enter: Callable[[], None]
) -> web.StreamResponse:
    """Run `?command=…` (repeated) and carry its streams; ends with a Status on channel 3."""
    socket = web.WebSocketResponse(protocols=_PROTOCOLS, max_msg_size=0)
    await socket.prepare(request)
    command = replace(pod, command=tuple(request.query.getall("command", ["sh"])))
    wants_input = request.query.get("input", request.query.get("stdin")) in ("1", "true")
    try:
        process = await asyncio.create_subprocess_exec(
            *command.argv(),
            cwd=command.folder,
            env=command.environment(),
            stdin=asyncio.subprocess.PIPE if wants_input else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=dies_with_parent(enter),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        await socket.send_bytes(bytes([_STDERR]) + f"{command.command[0]}: {error}\n".encode())
        await _end(socket, _NOT_STARTED)
        return socket
    assert process.stdout is not None
    assert process.stderr is not None
    feeding = asyncio.create_task(_feed(socket, process))
    try:
        await asyncio.gather(
            _carry(socket, _STDOUT, process.stdout), _carry(socket, _STDERR, process.stderr)
        )
        await _end(socket, await process.wait())
    finally:
        feeding.cancel()
        if process.returncode is None:
            os.killpg(process.pid, 9)
    return socket


async def _carry(socket: web.WebSocketResponse, channel: int, stream: asyncio.StreamReader) -> None:
    while chunk := await stream.read(_CHUNK_BYTES):
        await socket.send_bytes(bytes([channel]) + chunk)


async def _feed(socket: web.WebSocketResponse, process: asyncio.subprocess.Process) -> None:
    """stdin from the client; a client that leaves ends the command."""
    async for message in socket:
        if message.type is not WSMsgType.BINARY or process.stdin is None:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel == _STDIN:
            process.stdin.write(data)
            await process.stdin.drain()
        elif channel == _CLOSE and data[:1] == bytes([_STDIN]):
            process.stdin.close()
    if process.returncode is None:
        os.killpg(process.pid, 9)


async def _end(socket: web.WebSocketResponse, code: int) -> None:
    status: dict[str, object] = {"metadata": {}, "status": "Success"}
    if code:
        code = 128 - code if code < 0 else code
        status = {
            "metadata": {},
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "message": f"command terminated with non-zero exit code {code}",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }
    await socket.send_bytes(bytes([_ERROR]) + json.dumps(status).encode())
    await socket.close()
