#!/usr/bin/python3
"""A UDP relay that spoils what the sender sends, always in the same way.

    udp_proxy.py --port PORT --target PORT [--from-client] FAULT NUMBER

    loss N        drops N of 100 datagrams
    duplicate N   sends N of 100 twice
    reorder N     holds N of 100 back until three more have passed
    jitter N      delays each by 0 to N milliseconds, in order

With --from-client the client speaks first (SRT) and the target is the sender; without it whatever comes in goes to the
target (plain UDP). "READY" on standard output says that it listens.
"""

import argparse
import heapq
import random
import select
import socket
import time


def schedule(fault, number, choice, now, count, due_before):
    """When to send a datagram: a list of (moment, rank) for each copy of it."""
    hit = choice.random() * 100 < number
    if fault == "loss":
        return [] if hit else [(now, count)]
    if fault == "duplicate":
        return [(now, count)] * (2 if hit else 1)
    if fault == "reorder":
        # Not sent before the third after it is there; a datagram after the last would never come.
        return [(now + 0.06, count)] if hit else [(now, count)]
    return [(max(due_before, now + choice.random() * number / 1000), count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target", type=int, required=True)
    parser.add_argument("--from-client", action="store_true")
    parser.add_argument("fault", choices=["loss", "duplicate", "reorder", "jitter"])
    parser.add_argument("number", type=float)
    options = parser.parse_args()

    near = socket.socket(type=socket.SOCK_DGRAM)
    near.bind(("127.0.0.1", options.port))
    far = socket.socket(type=socket.SOCK_DGRAM)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    target = ("127.0.0.1", options.target)
    print("READY", flush=True)

    choice = random.Random(1)
    waiting, count, due, client = [], 0, 0.0, None
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for ready in select.select([near, far], [], [], pause)[0]:
            try:
                data, address = ready.recvfrom(65536)
            except OSError:
                continue  # the target is not there
            if options.from_client and ready is near:
                client = address
                far.sendto(data, target)
                continue
            count += 1
            for moment in schedule(options.fault, options.number, choice, time.monotonic(), count, due):
                due = max(due, moment[0])
                heapq.heappush(waiting, (*moment, data))
        while waiting and waiting[0][0] <= time.monotonic():
            data = heapq.heappop(waiting)[2]
            if options.from_client and client:
                near.sendto(data, client)
            elif not options.from_client:
                far.sendto(data, target)


if __name__ == "__main__":
    main()
