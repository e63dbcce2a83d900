#!/usr/bin/python3
"""A camera of the simplest kind: JPEGs over HTTP (multipart/x-mixed-replace) in an endless loop, for any number of clients.

    mjpeg_server.py [--port PORT] [--fps FPS] FILE.mjpeg

It listens on 127.0.0.1. Port 0, the default, is any free port. "READY PORT" on standard output says that it listens. It
ends when its standard input ends, so it never outlives the program that started it.
"""

import argparse
import itertools
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

JPEG_BEGINS = b"\xff\xd8\xff"


class Camera(BaseHTTPRequestHandler):
    pictures: list[bytes]
    interval: float

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        due = time.monotonic()
        try:
            for picture in itertools.cycle(self.pictures):
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                due += self.interval
                time.sleep(max(0.0, due - time.monotonic()))
        except OSError:
            pass  # the client has gone

    def log_message(self, *_):
        pass


def end_with_parent():
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()

    Camera.pictures = [JPEG_BEGINS + rest for rest in options.file.read_bytes().split(JPEG_BEGINS)[1:]]
    Camera.interval = 1 / options.fps
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Camera)
    print("READY", server.server_port, flush=True)
    threading.Thread(target=end_with_parent, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
