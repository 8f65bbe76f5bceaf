"""The server of the explorer without a browser: how many kernels it starts, what it refuses, and how it ends."""

import base64
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import nbformat
import pytest
from children import reaped, spawned

pytestmark = pytest.mark.kernel
if shutil.which("ps") is None:
    pytest.skip("kernels are counted by ps", allow_module_level=True)

MOST, GRACE = 2, 5.0
PATIENCE = 60.0
"""Seconds for what takes a few on an idle machine."""
PROGRAM = """
import sys
from simtrial.cli import start
from simtrial.explorer import kernels
kernels.GRACE, kernels.LOOK = float(sys.argv.pop(1)), 0.5
sys.exit(start.main())
"""


def started(*command):
    return spawned([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def heard(process, words):
    """What a process says until it says some words."""
    said, until = b"", time.monotonic() + PATIENCE
    while words not in said:
        assert select.select([process.stderr], [], [], until - time.monotonic())[0], said.decode()
        more = os.read(process.stderr.fileno(), 65536)
        assert more, said.decode()
        said += more
    return said.decode()


def kernels_of(process):
    """The kernels that are children of a process."""
    listed = subprocess.run(
        ["ps", "--ppid", str(process.pid), "-o", "pid=,stat=,args="], capture_output=True, text=True, check=False
    )
    lines = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return {int(pid) for pid, state, words in lines if "ipykernel" in words and not state.startswith("Z")}


def kernel_id(page):
    return json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])["kernelId"]


class Explorer:
    """A server that runs."""

    def __init__(self, process):
        self.process = process
        self.address, self.token = re.search(
            r"(http://localhost:\d+/)\?token=(\S+)", heard(process, b"ends it)")
        ).groups()
        self.pages = []
        self.port = int(self.address.rstrip("/").rpartition(":")[2])

    def kernels(self):
        return kernels_of(self.process)

    def get(self, path="", method="GET", **headers):
        """Ask as a program does that knows the token; an answer is its status and text."""
        told = {"Authorization": f"token {self.token}"} | {
            name.replace("_", "-"): said for name, said in headers.items()
        }
        asked = urllib.request.Request(self.address + path, headers=told, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                said = answer.read().decode()
                self.pages += [kernel_id(said)] if answer.status == 200 and not path else []
                return answer.status, said
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def said(self):
        """What it has said since."""
        lines = b""
        while select.select([self.process.stderr], [], [], 0.05)[0]:
            lines += os.read(self.process.stderr.fileno(), 65536)
        return lines.decode().splitlines()

    def at_rest(self):
        """Wait until only the warm kernel is left."""
        while self.pages:
            self.get(f"api/kernels/{self.pages.pop()}", method="DELETE")
        until = time.monotonic() + PATIENCE
        while len(self.kernels()) != 1:
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.fixture(scope="module")
def running():
    with reaped(started("-c", PROGRAM, str(GRACE), "explore", "--no-browser", "--kernels", str(MOST))) as process:
        yield Explorer(process)


@pytest.fixture
def explorer(running):
    running.at_rest()
    running.said()
    return running


def test_what_is_no_visit_of_the_page_starts_no_kernel(explorer):
    before = explorer.kernels()
    answers = [
        explorer.get(method="HEAD"),
        explorer.get(method="POST"),
        explorer.get("favicon.ico"),
        explorer.get("voila/static/voila.js"),
        explorer.get("voila/render/explorer.ipynb"),
        explorer.get("api/kernels", method="POST"),
        explorer.get(Sec_Fetch_Site="cross-site"),
        explorer.get(Sec_Fetch_Site="same-site", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document"),
        explorer.get(Origin="http://attacker.example"),
        explorer.get(Host="attacker.example"),
        explorer.get(Authorization="token wrong"),
        explorer.get(Sec_Purpose="prefetch;prerender", Sec_Fetch_Site="none"),
    ]
    assert [status for status, _ in answers] == [405, 405, 404, 200, 404, 404, 403, 403, 403, 403, 403, 503]
    time.sleep(1.2)  # a kernel that is to be warm follows within a second
    assert explorer.kernels() == before


@pytest.mark.parametrize("name", ["Authorization", "Cookie"])
@pytest.mark.parametrize(
    "path", ["", "voila/static/voila.js", "api/kernels/a-b-c-d-e", "voila/templates/lab/static/index.css"]
)
def test_every_address_asks_for_the_token(explorer, path, name):
    status, said = explorer.get(path, **{"Authorization": "", name: f"token {explorer.token[:-1]}"})
    assert status == 403
    assert "printed in the terminal" in said


def test_the_token_is_exchanged_for_a_cookie_that_scripts_and_other_pages_cannot_use(explorer):
    browser = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    answer = talk(
        explorer, request(explorer, f"GET /?token={explorer.token}", *map(": ".join, browser.items()), known=False)
    )
    head = answer.decode().partition("\r\n\r\n")[0] + "\r\n"
    assert head.startswith("HTTP/1.1 303")
    assert "\r\nLocation: /\r\n" in head
    cookie = re.search(r"Set-Cookie: (simtrial-explorer-\d+=[\w-]+); (.*)\r\n", head)
    assert set(cookie[2].split("; ")) == {"HttpOnly", "Path=/", "SameSite=Strict"}
    assert explorer.token not in head
    assert explorer.get("voila/static/voila.js", Authorization="", Cookie=cookie[1])[0] == 200


def test_however_many_ask_there_are_never_more_kernels_than_allowed(explorer):
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(explorer.get) for _ in range(12)]
        most = 0
        while not all(answer.done() for answer in asked):
            most = max(most, len(explorer.kernels()))
    answers = [answer.result() for answer in asked]
    assert sorted(status for status, _ in answers) == [200] * MOST + [503] * (12 - MOST)
    assert {"At most 2 pages can be open" in said for status, said in answers if status == 503} == {True}
    assert most <= MOST
    assert len(explorer.kernels()) <= MOST
    until = time.monotonic() + PATIENCE
    while explorer.pages:  # nobody has connected
        assert time.monotonic() < until
        explorer.pages = [name for name in explorer.pages if explorer.get(f"api/kernels/{name}")[0] == 200]
        time.sleep(0.1)
    explorer.at_rest()
    assert explorer.said() == []


def test_a_kernel_that_dies_is_no_page_and_the_warm_one_is_replaced(explorer):
    (warm,) = explorer.kernels()
    os.kill(warm, signal.SIGKILL)
    while is_running(warm):
        time.sleep(0.01)
    status, page = explorer.get()
    assert status == 200
    assert explorer.get(f"api/kernels/{kernel_id(page)}")[0] == 200
    assert "Traceback" not in "".join(explorer.said())


def request(explorer, line, *headers, body=b"", known=True):
    """A request as bytes, of somebody who knows the token."""
    told = [f"{line} HTTP/1.1", f"Host: localhost:{explorer.port}"]
    told += [f"Authorization: token {explorer.token}"] * known
    return "\r\n".join([*told, *headers, "", ""]).encode("latin-1") + body


def talk(explorer, data):
    """Send bytes, and give what comes back until the other side is silent or closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", explorer.port)) as end:
        end.settimeout(1)
        try:
            end.sendall(data)
            while more := end.recv(65536):
                answer += more
                end.settimeout(0.2)
        except OSError:
            pass
    return answer


SOCKET = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
          f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}")  # fmt: skip
SESSIONS = itertools.count()
"""A socket of the same session would take the place of another."""
FIRST_VERSION = "Sec-WebSocket-Protocol: v1.kernel.websocket.jupyter.org"


def connected(explorer, name, *headers):
    """A socket to a kernel."""
    end = socket.create_connection(("127.0.0.1", explorer.port))
    end.settimeout(10)
    end.sendall(request(explorer, f"GET /api/kernels/{name}/channels?session_id={next(SESSIONS)}", *SOCKET, *headers))
    assert end.recv(12) == b"HTTP/1.1 101"
    return end


@pytest.fixture(scope="module")
def page(running):
    """A page that is connected, and the name of its kernel; for all tests that talk to one."""
    running.at_rest()
    name = kernel_id(running.get()[1])
    running.pages.clear()
    with connected(running, name) as end:
        yield end, name


def test_unknown_kernels_and_other_sockets_are_refused(running, page):
    for path in ("/api/kernels/0-0-0-0-0/channels", "/voila/query/0-0-0-0-0", "/voila/execution/0-0-0-0-0"):
        assert b" 404 " in talk(running, request(running, f"GET {path}", *SOCKET))[:20]
    _, name = page
    for headers in ([], ["Origin: http://attacker.example"], ["Sec-Fetch-Site: same-site"]):
        known = bool(headers)
        line = f"GET /api/kernels/{name}/channels?session_id=a"
        assert b" 403 " in talk(running, request(running, line, *SOCKET, *headers, known=known))[:20]


HOSTILE = {
    "noise": lambda _: b"\x00\xff\xfe noise\r\n\r\n",
    "no version": lambda _: b"GET /\r\n\r\n",
    "another version": lambda e: f"GET / HTTP/9.9\r\nHost: localhost:{e.port}\r\n\r\n".encode(),
    "no host": lambda _: b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": lambda e: request(e, "GET /x", "Host: attacker.example"),
    "a long line": lambda _: b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    "a long header": lambda e: request(e, "GET /x", "X: " + "a" * 200_000),
    "many headers": lambda e: request(e, "GET /x", *[f"X{k}: 1" for k in range(20_000)]),
    "a header that is none": lambda e: request(e, "GET /x", "nonsense"),
    "a header in bytes": lambda e: request(e, "GET /x", "X: \xff\xfe"),
    "a header with NUL": lambda e: request(e, "GET /x", "X: a\0b"),
    "a length below 0": lambda e: request(e, "POST /x", "Content-Length: -5"),
    "a length in words": lambda e: request(e, "POST /x", "Content-Length: five"),
    "a huge length": lambda e: request(e, "POST /x", "Content-Length: 99999999999"),
    "two lengths": lambda e: request(e, "POST /x", "Content-Length: 5", "Content-Length: 6"),
    "bad chunks": lambda e: request(e, "POST /x", "Transfer-Encoding: chunked", body=b"zz\r\n"),
    "half a body": lambda e: request(e, "POST /x", "Content-Length: 100", body=b"abc"),
    "a path upwards": lambda e: request(e, "GET /voila/render/../../etc/passwd"),
    "a file upwards": lambda e: request(e, "GET /voila/files/../../etc/passwd"),
    "a static file upwards": lambda e: request(e, "GET /voila/static/../../../../etc/passwd"),
    "a static file upwards, escaped": lambda e: request(e, "GET /voila/static/%2e%2e%2f%2e%2e%2fetc/passwd"),
    "an extension upwards": lambda e: request(e, "GET /voila/labextensions/..%5c..%5cetc/passwd"),
    "a path from the root": lambda e: request(e, "GET /voila/static//etc/passwd"),
    "NUL": lambda e: request(e, "GET /%00"),
    "NUL in a static file": lambda e: request(e, "GET /voila/static/a%00.js"),
    "NUL in a template": lambda e: request(e, "GET /voila/templates/lab/static/%00"),
    "no UTF-8": lambda e: request(e, "GET /voila/static/%ff%fe"),
    "no UTF-8 in an extension": lambda e: request(e, "GET /voila/labextensions/%ff"),
    "raw bytes": lambda e: request(e, "GET /x\xff\xfe?\xff"),
    "a token in bytes": lambda e: request(e, "GET /x?token=%ff%00", known=False),
    "a long path": lambda e: request(e, "GET /voila/static/" + "a" * 5000),
    "a folder": lambda e: request(e, "GET /voila/static/"),
    "a missing file": lambda e: request(e, "GET /voila/labextensions/nothing.js"),
    "half a template": lambda e: request(e, "GET /voila/templates/x"),
    "a template that is none": lambda e: request(e, "GET /voila/templates/lab/other/x"),
    "a template from the root": lambda e: request(e, "GET /voila/templates/lab/static//etc/passwd"),
    "an address elsewhere": lambda e: request(e, "GET http://attacker.example/"),
    "no path": lambda e: request(e, "OPTIONS *"),
    "a tunnel": lambda e: request(e, "CONNECT attacker.example:80"),
    "an unknown method": lambda e: request(e, "FROB /"),
    "another method": lambda e: request(e, "DELETE /"),
    "an unknown kernel": lambda e: request(e, "GET /api/kernels/0-0-0-0-0"),
    "an unknown kernel to be ended": lambda e: request(e, "DELETE /api/kernels/0-0-0-0-0"),
    "an unknown kernel to be shut down": lambda e: request(e, "POST /voila/api/shutdown/0", "Content-Length: 0"),
    "a kernel upwards": lambda e: request(e, "POST /voila/api/shutdown/..%2f..", "Content-Length: 0"),
    "a kernel with NUL": lambda e: request(e, "POST /voila/api/shutdown/%00", "Content-Length: 0"),
    "JSON that is none": lambda e: request(e, "POST /api/kernels", "Content-Length: 1", body=b"{"),
    "a form that is none": lambda e: request(
        e, "POST /x", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 4", body=b"abcd"
    ),
    "a cookie in bytes": lambda e: request(e, "GET /x", "Cookie: \xff=;;;=a; \xff\xfe"),
    "a date that is none": lambda e: request(e, "GET /voila/static/x", "If-Modified-Since: 99 Foo 99999"),
    "a range that is none": lambda e: request(e, "GET /voila/static/voila.js", "Range: bytes=-9999999999999999-"),
    "a socket to nothing": lambda e: request(e, "GET /api/kernels/0-0-0-0-0/channels", *SOCKET),
    "a socket upwards": lambda e: request(e, "GET /voila/query/..", *SOCKET),
}
"""Requests that no browser makes, each as bytes."""


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_request_is_answered_in_at_most_a_line_and_the_server_goes_on(running, hostile):
    running.said()
    answer = talk(running, HOSTILE[hostile](running))
    assert b"root:" not in answer
    assert not answer.startswith(b"HTTP/1.1 5")
    lines = running.said()
    assert len(lines) <= 1
    assert "Traceback" not in "".join(lines)
    assert running.token not in "".join(lines)
    assert running.get("nowhere")[0] == 404


def frame(data, kind=1, last=1, masked=True):
    """A frame of a socket."""
    sign, size = 0x80 * masked, len(data)
    head = bytes([last << 7 | kind])
    head += bytes([sign | size]) if size < 126 else bytes([sign | 127]) + struct.pack(">Q", size)
    return head + bytes(4 * masked) + data


def message(**parts):
    header = {"msg_id": "1", "msg_type": "comm_msg", "session": "x", "username": "u", "date": "", "version": "5.3"}
    whole = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": {}}
    return frame(json.dumps(whole | parts).encode())


FRAMES = {
    "no JSON": frame(b"no JSON"),
    "a list": frame(b"[1]"),
    "nothing": frame(b""),
    "very deep": frame(b"[" * 100_000),
    "no header": frame(b'{"channel": "shell"}'),
    "no channel of ours": message(channel="nowhere"),
    "a channel that is an object": message(channel={}),
    "a header that is a word": message(header="x"),
    "a header of numbers": message(header={"msg_type": 5}),
    "code": message(header={"msg_type": "execute_request"}),
    "a date that is none": message(header={"msg_type": "comm_msg", "date": "9999-99-99"}),
    "half a character": frame(b'{"channel": "shell", "header": {"msg_type": "comm_msg", "msg_id": "\\ud800"}}'),
    "content that is a word": message(content="x"),
    "no parent": message(parent_header=None),
    "many parts": frame(b"\x00\x00\x00\x01", kind=2),
    "endless parts": frame(b"\xff" * 64, kind=2),
    "no parts": frame(b"", kind=2),
    "no mask": frame(b"x", masked=False),
    "no UTF-8": frame(b"\xff\xfe"),
    "an unknown kind": frame(b"x", kind=11),
    "an end without a beginning": frame(b"x", kind=0),
    "a strange farewell": frame(b"\x03\xe8\xff", kind=8),
    "a large ping": frame(b"x" * 200, kind=9),
    "half a ping": frame(b"x", kind=9, last=0),
    "a huge frame": b"\x81\xff" + struct.pack(">Q", 2**62) + bytes(4),
    "half a frame": frame(b"x" * 1000)[:50],
}


@pytest.mark.parametrize("version", ["", FIRST_VERSION], ids=["JSON", "first version"])
def test_hostile_frames_are_answered_in_at_most_a_line_each_and_the_server_goes_on(running, page, version):
    _, name = page
    running.said()
    told = {}
    for kind, sent in FRAMES.items():
        with connected(running, name, *filter(None, [version])) as end:
            end.sendall(sent)
            end.settimeout(0.1)
            with suppress(OSError):  # it is silent or closed, perhaps hard
                while end.recv(65536):
                    pass
        told[kind] = running.said()
    assert {kind: lines for kind, lines in told.items() if len(lines) > 1} == {}
    assert [line for lines in told.values() for line in lines if not line.startswith("simtrial: a message that")] == []
    assert running.get(f"api/kernels/{name}")[0] == 200


def test_a_kernel_lives_as_long_as_its_page_is_connected(running, page):
    end, name = page
    time.sleep(GRACE + 1)
    assert running.get(f"api/kernels/{name}")[0] == 200
    end.close()
    until = time.monotonic() + PATIENCE
    while running.get(f"api/kernels/{name}")[0] != 404:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_visitor_who_leaves_at_once_takes_nothing(explorer):
    with socket.create_connection(("127.0.0.1", explorer.port)) as end:
        end.sendall(request(explorer, "GET /"))
    explorer.at_rest()
    assert explorer.said() == []


def test_a_user_of_many_connections_leaves_some_to_others(explorer):
    ends = [socket.create_connection(("127.0.0.1", explorer.port)) for _ in range(400)]
    time.sleep(0.3)
    for end in ends:
        end.close()
    until = time.monotonic() + PATIENCE
    while True:  # until it has seen that they are closed
        with suppress(OSError):
            if explorer.get("nowhere")[0] == 404:
                break
        assert time.monotonic() < until
    assert explorer.said() == []


# last, for it ends the shared server
def test_ctrl_c_ends_all_kernels_at_once_while_as_many_run_and_start_as_may(explorer):
    with ThreadPoolExecutor(MOST) as pool:
        asked = [pool.submit(lambda: explorer.get()[0]) for _ in range(MOST)]
        while len(kernels := explorer.kernels()) < MOST:
            assert not all(answer.done() for answer in asked)
            time.sleep(0.05)
        began = time.monotonic()
        explorer.process.send_signal(signal.SIGINT)
        rest = explorer.process.communicate(timeout=30)[1].decode()
        assert time.monotonic() - began < 3
        for answer in asked:
            answer.exception()
    assert explorer.process.returncode == 0
    assert rest.splitlines()[-2:] == ["Ending the explorer ...", "The explorer has ended."]
    assert "Traceback" not in rest
    assert [kernel for kernel in kernels if is_running(kernel)] == []


def is_running(pid):
    listed = subprocess.run(["ps", "-p", str(pid), "-o", "stat="], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip()) and not listed.stdout.startswith("Z")


def test_kernels_end_by_themselves_when_the_server_is_killed():
    with reaped(started("-m", "simtrial", "explore", "--no-browser")) as process:
        heard(process, b"Warming up")
        until = time.monotonic() + PATIENCE
        while not (kernels := kernels_of(process)):
            assert time.monotonic() < until
            time.sleep(0.05)
        process.kill()
        process.wait()
    until = time.monotonic() + PATIENCE  # they look every second
    while any(map(is_running, kernels)):
        assert time.monotonic() < until
        time.sleep(0.1)


BROKEN = """
import pathlib, sys
from simtrial import project
project.folder = lambda _: pathlib.Path(sys.argv[1])
from simtrial.cli import app
sys.exit(app.main(["explore", "--no-browser"]))
"""


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("raise ValueError('no such thing\\nat all')", "ValueError: no such thing"),
        ("import os; os._exit(3)", "Kernel died"),
    ],
)
def test_a_first_page_that_fails_is_told_in_one_line(tmp_path, cell, reason):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    book.metadata.kernelspec = {"name": "python3", "display_name": "x", "language": "python"}
    nbformat.write(book, tmp_path / "explorer.ipynb")
    with reaped(started("-c", BROKEN, str(tmp_path))) as process:
        said = process.communicate(timeout=PATIENCE)[1].decode().splitlines()
    assert process.returncode == 1
    faults = [line for line in said if line.startswith("simtrial: ")]
    assert len(faults) == 1
    assert faults[0].startswith("simtrial: the first page cannot be computed: ")
    assert reason in faults[0]
    assert "Traceback" not in "".join(said)
