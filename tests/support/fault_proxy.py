#!/usr/bin/python3
"""A TCP proxy that spoils the connections that pass through it, always in the same way.

    fault_proxy.py [--port PORT] [--target PORT] FAULT [NUMBER]

Faults that need no target:
    mute              accepts, reads and never answers
    halfopen          accepts and does not even read
    garbage           answers with random bytes without end
Faults between a client and the target on 127.0.0.1; bytes and replies are counted from the target to the client:
    pass              none
    refuse-after N    passes N connections on; once they are made the port is closed, and later ones are refused
    stallreply N      passes N replies of RTSP or HTTP on, then nothing more, while the connection stays open; in RTSP the
                      first reply is that to OPTIONS, which counts even where a client does not ask
    stallbytes N      passes N bytes on, then nothing more, while the connection stays open
    fin N             passes N bytes on, then closes in good order
    rst N             passes N bytes on, then resets the connection
    slow N            passes N bytes a second on
    chop N            passes everything on in pieces of N bytes
    corrupt N         turns one bit over in N of 100 chunks, after the first 4000 bytes
    delay N           passes each chunk on N milliseconds late

It listens on 127.0.0.1. Port 0, the default, is any free port. "READY PORT" on standard output says that it listens. It
ends when its standard input ends, so it never outlives the program that started it.
"""

import argparse
import os
import random
import re
import select
import socket
import struct
import sys
import threading
import time


class Stall(Exception):
    """Nothing more may reach the client, but its connection stays open."""


class Close(Exception):
    """The connection is over."""


class Reset(Exception):
    """The connection is over, and the client shall hear it from an RST."""


# ---- Faults between client and target: each makes a function that passes one chunk on in its own way. ----


def passing(_number):
    return lambda client, chunk: client.sendall(chunk)


def after_bytes(outcome):
    """Passes a number of bytes on, then raises the outcome."""

    def fault(number):
        left = number

        def forward(client, chunk):
            nonlocal left
            client.sendall(chunk[:left])
            left -= len(chunk[:left])
            if left == 0:
                raise outcome

        return forward

    return fault


def stall_reply(number):
    replies = 0

    def forward(client, chunk):
        nonlocal replies
        if replies == 0 and chunk.startswith(b"RTSP") and b"\r\nPublic:" not in chunk:
            replies = 1
        for status_line in re.finditer(rb"(RTSP|HTTP)/1\.[01] \d\d\d", chunk):
            replies += 1
            if replies > number:
                client.sendall(chunk[: status_line.start()])
                raise Stall
        client.sendall(chunk)
        # After the last reply that passes comes no other, but pictures may.
        if 0 < number <= replies:
            raise Stall

    return forward


def slow(number):
    size = max(1, number // 20)  # twenty times a second, so that it flows and does not come in lumps

    def forward(client, chunk):
        for at in range(0, len(chunk), size):
            piece = chunk[at : at + size]
            time.sleep(len(piece) / number)
            client.sendall(piece)

    return forward


def chop(number):
    def forward(client, chunk):
        for at in range(0, len(chunk), number):
            client.sendall(chunk[at : at + number])

    return forward


def corrupt(number):
    # The handshake is spared, or nothing would ever be connected. The same bits turn over in each run.
    choice = random.Random(1)
    spared = 4000

    def forward(client, chunk):
        nonlocal spared
        if spared > 0:
            spared -= len(chunk)
        elif choice.random() * 100 < number:
            damaged = bytearray(chunk)
            damaged[choice.randrange(len(damaged))] ^= 1 << choice.randrange(8)
            chunk = bytes(damaged)
        client.sendall(chunk)

    return forward


def delay(number):
    def forward(client, chunk):
        time.sleep(number / 1000)
        client.sendall(chunk)

    return forward


BETWEEN = {
    "pass": passing,
    "refuse-after": passing,
    "stallreply": stall_reply,
    "stallbytes": after_bytes(Stall),
    "fin": after_bytes(Close),
    "rst": after_bytes(Reset),
    "slow": slow,
    "chop": chop,
    "corrupt": corrupt,
    "delay": delay,
}


def relay(client, target, forward):
    """Carries bytes both ways until one side ends. One thread for both: closing a socket that another thread reads
    would send neither FIN nor RST before that thread wakes."""
    stalled = False
    ends = [client, target]
    try:
        while True:
            for ready in select.select(ends, [], [])[0]:
                chunk = ready.recv(65536)
                if not chunk and stalled and ready is target:
                    ends.remove(target)
                    continue
                if not chunk:
                    return
                if ready is client:
                    target.sendall(chunk)
                elif not stalled:
                    try:
                        forward(client, chunk)
                    except Stall:
                        stalled = True
    except Reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except (Close, OSError):
        pass
    finally:
        client.close()
        target.close()


# ---- Faults of a server that is none. ----


def mute(client):
    while client.recv(65536):
        pass


def half_open(_client):
    threading.Event().wait()


def garbage(client):
    choice = random.Random(1)
    while True:
        client.sendall(choice.randbytes(1000))
        time.sleep(0.01)


ALONE = {"mute": mute, "halfopen": half_open, "garbage": garbage}


def serve(client, options):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        if options.fault in ALONE:
            ALONE[options.fault](client)
        else:
            target = socket.create_connection(("127.0.0.1", options.target))
            relay(client, target, BETWEEN[options.fault](options.number))
    except OSError:
        pass
    finally:
        client.close()


def end_with_parent():
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--target", type=int)
    parser.add_argument("fault", choices=[*ALONE, *BETWEEN])
    parser.add_argument("number", type=int, nargs="?", default=0)
    options = parser.parse_args()
    if options.fault in BETWEEN and options.target is None:
        parser.error(f"{options.fault} needs --target")

    listener = socket.create_server(("127.0.0.1", options.port), backlog=64)
    print("READY", listener.getsockname()[1], flush=True)
    threading.Thread(target=end_with_parent, daemon=True).start()
    accepted = 0
    while options.fault != "refuse-after" or accepted < options.number:
        client, _ = listener.accept()
        accepted += 1
        threading.Thread(target=serve, args=(client, options), daemon=True).start()
    listener.close()
    threading.Event().wait()


if __name__ == "__main__":
    main()
