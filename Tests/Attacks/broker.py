"""A broker with a store in memory, on loopback, for as long as an attack lasts."""

import contextlib
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from wire import Client


@contextlib.contextmanager
def running(kiteq, registry, files=(), options=(), probe=("p-probe", ""), log=None):
    """Yields its address. `files` are (name, text); {folder} in an option is theirs. `probe` is a group and secret that it lets in. `log` is
    a path for its log."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in [("registry.yaml", registry), *files]:
            (folder / file).write_text(text)
            (folder / file).chmod(0o600)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = free.getsockname()
        command = [kiteq, "serve", "--store", "memory://", "--registry", f"file://{folder}/registry.yaml", "--topics", "trade,feed"]
        command += ["--bind", f"127.0.0.1:{address[1]}", *(option.format(folder=folder) for option in options)]
        log = Path(log or folder / "log")
        broker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log.open("wb"))
        try:
            end = time.monotonic() + 60
            while True:
                try:
                    Client(address, *probe).close()
                    break
                except OSError:
                    if time.monotonic() > end or broker.poll() is not None:
                        raise SystemExit(f"the broker does not serve:\n{log.read_text()[-2000:]}") from None
                    time.sleep(0.05)
            yield address
        finally:
            broker.kill()
            broker.wait()
