"""Clients in child processes, by each start method of multiprocessing."""

from pathlib import Path

import pytest

from support import run_python

# The parent's clients wait, read and reconnect while it makes its children.
PROGRAM = """
import multiprocessing, signal, sys, threading
from mpegclient import Client, errors

def read_in_child(number):
    signal.alarm(60)
    for client in PARENTS:
        try:
            client.read(1)
        except errors.Forked:
            pass
        else:
            return "not refused"
    with Client(sys.argv[1], width=64, height=48) as own:
        own.setup()
        own.start()
        return len(own.read(3, timeout=30))

def reopen(client, is_over):
    while not is_over.is_set():
        client.setup()
        client.start()
        client.read(1, timeout=30)

PARENTS = []

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[2])
    PARENTS = [Client(sys.argv[1]) for _ in range(3)]
    for client in PARENTS:
        client.setup()
    for client in PARENTS[1:]:
        client.start()
    is_over = threading.Event()
    reopening = threading.Thread(target=reopen, args=(PARENTS[2], is_over))
    reopening.start()
    try:
        with context.Pool(4, maxtasksperchild=1) as pool:
            results = pool.map_async(read_in_child, range(100), chunksize=1).get(timeout=200)
    finally:
        is_over.set()
        reopening.join()
    print(len(results), set(results), len(PARENTS[1].read(1, timeout=30)))
    for client in PARENTS:
        client.close()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_hundred_children_read_with_clients_of_their_own(method: str, media: Path, tmp_path: Path) -> None:
    # A file, since spawn and forkserver load the program anew.
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    result = run_python([str(program), str(media / "long.mp4"), method], limit=240)
    assert (result.returncode, result.stdout) == (0, "100 {3} 1\n"), result.stderr
