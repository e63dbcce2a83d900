#!/usr/bin/python3
"""An HTTP server of live video and of files, for any number of clients.

    web_server.py --port PORT [--status NUMBER] FOLDER CLIP

/live.ts is the clip as an endless transport stream at its own pace; every other path is a file of the folder. With
--status every request is answered with that number and nothing else. "READY" on standard output says that it listens.
"""

import argparse
import functools
import subprocess
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Site(SimpleHTTPRequestHandler):
    clip = ""
    status = 0
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.status:
            self.send_error(self.status)
        elif self.path == "/live.ts":
            self.stream()
        else:
            super().do_GET()

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()
        command = ["ffmpeg", "-loglevel", "quiet", "-nostdin", "-re", "-stream_loop", "-1", "-i", self.clip]
        # It writes to the socket itself, and ends when that is closed.
        output = ["-c", "copy", "-copyinkf", "-flush_packets", "1", "-f", "mpegts", "pipe:1"]
        subprocess.run([*command, *output], stdout=self.connection.fileno(), check=False)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("folder")
    parser.add_argument("clip")
    options = parser.parse_args()
    Site.clip, Site.status = options.clip, options.status
    site = functools.partial(Site, directory=options.folder)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), site)
    print("READY", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
