"""python3-h2, whose state machine checks every frame it gets, against an edge.

python3 judge_h2.py ADDRESS PORT; prints what it has found as JSON, an error ends it with its trace.
"""
import hashlib
import json
import socket
import ssl
import struct
import sys

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
from hyperframe.frame import WindowUpdateFrame

Codes = h2.settings.SettingCodes
ADDRESS, PORT = sys.argv[1], int(sys.argv[2])
SMALL = b"".join(struct.pack("<I", i * 2654435761 & 0xFFFFFFFF) for i in range(0, 100_000, 4))


class Client:
    """One connection, and what has come on each of its streams."""

    def __init__(self, settings=None, validates=True):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        raw = socket.create_connection((ADDRESS, PORT), timeout=30)
        self.socket = context.wrap_socket(raw, server_hostname="example.com")
        assert self.socket.selected_alpn_protocol() == "h2"
        config = h2.config.H2Configuration(
            client_side=True,
            header_encoding="utf-8",
            validate_outbound_headers=validates,
            normalize_outbound_headers=validates,
        )
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        self.events = []
        self.bodies = {}
        self.flush()
        self.until(lambda event: isinstance(event, h2.events.SettingsAcknowledged))
        if settings is not None:
            self.set(settings)

    def set(self, settings):
        self.h2.update_settings(settings)
        self.flush()
        self.until(lambda event: isinstance(event, h2.events.SettingsAcknowledged))

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def until(self, fits):
        """Takes events until one fits; returns it."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if isinstance(event, h2.events.DataReceived):
                    self.bodies.setdefault(event.stream_id, bytearray()).extend(event.data)
                    if event.flow_controlled_length:
                        self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if fits(event):
                    return event
            self.flush()
            data = self.socket.recv(65536)
            if not data:
                raise EOFError("the edge has ended the connection")
            self.events += self.h2.receive_data(data)

    def ask(self, path, method="GET", ends=True, more=()):
        stream_id = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", "https"), (":authority", "example.com"), (":path", path)]
        self.h2.send_headers(stream_id, pseudo + list(more), end_stream=ends)
        self.flush()
        return stream_id

    def finish(self, *streams):
        """Takes the whole responses; returns status, body and trailers of each."""
        left = set(streams)
        heads, trailers = {}, {}

        def fits(event):
            if isinstance(event, h2.events.ResponseReceived):
                heads[event.stream_id] = dict(event.headers)
            if isinstance(event, h2.events.TrailersReceived):
                trailers[event.stream_id] = dict(event.headers)
            if isinstance(event, h2.events.StreamReset):
                raise AssertionError(f"stream {event.stream_id} was reset with {event.error_code}")
            if isinstance(event, h2.events.StreamEnded):
                left.discard(event.stream_id)
            return not left

        self.until(fits)
        return [(heads[i][":status"], bytes(self.bodies.get(i, b"")), trailers.get(i, {})) for i in streams]

    def upload(self, stream_id, body, trailers):
        while body:
            window = self.h2.local_flow_control_window(stream_id)
            if window == 0:
                self.until(lambda event: isinstance(event, h2.events.WindowUpdated))
                continue
            size = min(window, self.h2.max_outbound_frame_size, len(body))
            self.h2.send_data(stream_id, body[:size], pad_length=None)
            self.flush()
            body = body[size:]
        self.h2.send_headers(stream_id, trailers, end_stream=True)
        self.flush()

    def is_served(self):
        [(status, body, _)] = self.finish(self.ask("/hello"))
        return "served" if (status, body) == ("200", b"hello") else f"not: {status}"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def together():
    client = Client()
    answers = client.finish(*[client.ask("/hello") for _ in range(100)])
    said = {f"{status} {body.decode()}" for status, body, _ in answers}
    return f"{len(answers)} × {', '.join(said)}"


def large():
    client = Client({Codes.INITIAL_WINDOW_SIZE: 1_000_000, Codes.MAX_FRAME_SIZE: 65_536})
    [(_, body, _)] = client.finish(client.ask("/large"))
    return sha256(body)


def streamed():
    client = Client()
    [(_, body, trailers)] = client.finish(client.ask("/streamed"))
    return f"{sha256(body)} with trailer {trailers['digest']}"


def tiny_windows():
    client = Client({Codes.INITIAL_WINDOW_SIZE: 100})
    [(_, body, _)] = client.finish(client.ask("/big"))
    return f"{len(body)} bytes"


def upload():
    client = Client()
    stream_id = client.ask("/digest", "POST", ends=False)
    client.upload(stream_id, SMALL, [("checksum", "abc")])
    [(_, body, _)] = client.finish(stream_id)
    return body.decode()


def reset():
    client = Client()
    stream_id = client.ask("/silent")
    client.h2.reset_stream(stream_id, h2.errors.ErrorCodes.CANCEL)
    return f"closed, and another {client.is_served()}"


def ping():
    client = Client()
    client.h2.ping(b"12345678")
    event = client.until(lambda event: isinstance(event, h2.events.PingAckReceived))
    return "answered" if event.ping_data == b"12345678" else f"answered {event.ping_data}"


def table():
    client = Client()
    sizes = [0, 4096, 100, 65536]
    served = 0
    for size in sizes:
        client.set({Codes.HEADER_TABLE_SIZE: size})
        answers = client.finish(*[client.ask("/long-head") for _ in range(5)])
        served += sum(status == "200" and body == b"long" for status, body, _ in answers)
    return f"{served} × 200 with tables of {', '.join(map(str, sizes))} bytes"


def priorities():
    client = Client()
    client.h2.prioritize(101, weight=200, depends_on=0, exclusive=True)
    stream_id = client.ask("/hello")
    client.h2.prioritize(stream_id, weight=16, depends_on=101)
    client.finish(stream_id)
    return "passed over" if client.is_served() == "served" else "not"


def goaway():
    client = Client()
    client.is_served()
    client.h2.close_connection()
    event = client.until(lambda event: isinstance(event, h2.events.ConnectionTerminated))
    return f"ended with {int(event.error_code)}"


def interim():
    client = Client()
    stream_id = client.ask("/digest", "POST", ends=False, more=[("expect", "100-continue")])
    event = client.until(lambda event: isinstance(event, h2.events.InformationalResponseReceived))
    status = dict(event.headers)[":status"]
    client.h2.send_data(stream_id, b"now", end_stream=True)
    [(final, _, _)] = client.finish(stream_id)
    return f"{status} before the answer" if final == "200" else final


def malformed():
    client = Client(validates=False)
    client.ask("/hello", more=[("X-Upper", "a")])
    event = client.until(lambda event: isinstance(event, h2.events.StreamReset))
    return f"stream reset with {int(event.error_code)}, and another {client.is_served()}"


def overflow():
    client = Client()
    frame = WindowUpdateFrame(0, window_increment=2**31 - 1)
    client.socket.sendall(frame.serialize())
    event = client.until(lambda event: isinstance(event, h2.events.ConnectionTerminated))
    return f"connection ended with {int(event.error_code)}"


CASES = [together, large, streamed, tiny_windows, upload, reset, ping, table, priorities, goaway, interim, malformed, overflow]
print(json.dumps({case.__name__: case() for case in CASES}))
