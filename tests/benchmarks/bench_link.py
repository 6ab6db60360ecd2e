"""Round trip of one picture over a link to another process, against a plain asyncio stream.

    python tests/benchmarks/bench_link.py

Prints one JSON object. The other process only sends every picture back. The baseline sends the
same bytes over the same kind of socket with asyncio's ``StreamReader`` and ``StreamWriter``, in
the same run.
"""

import asyncio
import json
import multiprocessing
import os
import platform
import socket
import statistics
import struct
import time

import uvloop

from scope_serve.frames import I420Frame, i420_size_bytes
from scope_serve.links.address import LinkAddress
from scope_serve.links.client import connect_link
from scope_serve.links.messages import FrameMessage
from scope_serve.links.server import LinkServer

SIZES = ((576, 320), (640, 360), (1280, 720))
ROUNDS = 400
WARM_UP = 50
_LENGTH = struct.Struct("!I")


class Mirror:
    """Sends every picture back."""

    link = None

    def message_received(self, message):
        if isinstance(message, FrameMessage):
            self.link.send(message)

    def link_closed(self, reason):
        pass


class Catcher:
    """Hands over each picture that comes back."""

    def __init__(self):
        self.arrived = None

    def message_received(self, message):
        self.arrived.set_result(message)

    def link_closed(self, reason):
        pass


async def serve(pipe):
    server, mirror = LinkServer(), Mirror()
    address = await server.start("node", "127.0.0.1")
    token, linked = server.expect(mirror)
    name = f"\0bench-{os.getpid()}"
    plain_socket = socket.socket(socket.AF_UNIX)
    plain_socket.bind(name)
    plain = await asyncio.start_unix_server(echo, sock=plain_socket)
    pipe.send((address.model_dump(), token, name))
    mirror.link = await linked
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    mirror.link.close("over")
    plain.close()
    await server.aclose()


async def echo(reader, writer):
    try:
        while True:
            head = await reader.readexactly(_LENGTH.size)
            body = await reader.readexactly(_LENGTH.unpack(head)[0])
            writer.writelines([head, body])
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def measure(round_trip):
    times_ms = []
    cpu_s = time.process_time()
    for _ in range(WARM_UP + ROUNDS):
        started_s = time.perf_counter()
        await round_trip()
        times_ms.append((time.perf_counter() - started_s) * 1e3)
    cpu_ms = (time.process_time() - cpu_s) * 1e3 / (WARM_UP + ROUNDS)
    kept = sorted(times_ms[WARM_UP:])
    return {
        "p50_ms": round(statistics.median(kept), 3),
        "p99_ms": round(kept[int(len(kept) * 0.99)], 3),
        "own_cpu_ms": round(cpu_ms, 3),
    }


async def over_link(address, token, node_id, size):
    catcher = Catcher()
    link = await connect_link(address, token=token, node_id=node_id, listener=catcher)
    results = {}
    for width, height in size:
        frame = I420Frame(bytes(i420_size_bytes(width, height)), width, height)

        async def round_trip(frame=frame):
            catcher.arrived = asyncio.get_running_loop().create_future()
            link.send(FrameMessage(frame))
            await catcher.arrived

        results[f"{width}x{height}"] = await measure(round_trip)
    link.close("over")
    return results


async def over_stream(name):
    opened = socket.socket(socket.AF_UNIX)
    opened.setblocking(False)
    await asyncio.get_running_loop().sock_connect(opened, name)
    reader, writer = await asyncio.open_unix_connection(sock=opened)
    results = {}
    for width, height in SIZES:
        body = bytes(i420_size_bytes(width, height))

        async def round_trip(body=body):
            writer.writelines([_LENGTH.pack(len(body)), body])
            await reader.readexactly(_LENGTH.size + len(body))

        results[f"{width}x{height}"] = await measure(round_trip)
    writer.close()
    await writer.wait_closed()
    return results


async def run(pipe):
    dumped, token, name = pipe.recv()
    address = LinkAddress.model_validate(dumped)
    return {
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "unix_link": (link := await over_link(address, token, "node", SIZES)),
        "unix_stream_baseline": (plain := await over_stream(name)),
        "p50_ratio": {
            size: round(link[size]["p50_ms"] / plain[size]["p50_ms"], 2) for size in link
        },
    }


def child(pipe):
    uvloop.run(serve(pipe))


def main():
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=child, args=(theirs,))
    process.start()
    try:
        print(json.dumps(uvloop.run(run(ours)), indent=2))
    finally:
        ours.send("over")
        process.join()


if __name__ == "__main__":
    main()
