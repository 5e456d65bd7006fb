#!/usr/bin/env python3
"""What watching costs: processor time of Penstock for each request and for each event of a stream.

usage: cost.py [--rounds N] [--seconds N] [--against JAR]

Runs Penstock (target/penstock.jar; ./mvnw package -DskipTests makes it) in front of one simulated replica that answers at
once, again and again with something more switched on, in another order in every second round: nothing; the access log; one
viewer of the live page; a scrape every second; one trace in a hundred; all traces. --against adds another jar with nothing
switched on, such as that of an earlier version. What is counted is the user and system time of the process, so the speed of
the machine and of the clients matters little, and what else runs there somewhat. Needs Linux, Java and Python 3; takes about
three minutes for each round.
"""
import argparse
import http.server
import json
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
JAR = os.path.join(HERE, '..', '..', 'target', 'penstock.jar')
REPLICA, FRONT, ADMIN, COLLECTOR = 18701, 18710, 18711, 18712
CLIENTS = 16
TICKS = os.sysconf('SC_CLK_TCK')

CONFIG = """
listen: 127.0.0.1:%d
admin: 127.0.0.1:%d
upstreams: ["http://127.0.0.1:%d"]
drain: {lameDuck: 0s, deadline: 0s}
""" % (FRONT, ADMIN, REPLICA)
QUIET = 'log: {access: false}\n'
TRACES = 'tracing: {endpoint: "http://127.0.0.1:%d", sample: %s}\n'


def body(stream):
    return json.dumps({'model': 'demo', 'stream': stream, 'max_tokens': 200 if stream else 1,
                       'messages': [{'role': 'user', 'content': 'Say something about rivers. ' * 20}]}).encode()


class Client(threading.Thread):
    """Asks again and again on one connection, and counts the requests and the events that it gets."""

    def __init__(self, stream, until):
        super().__init__(daemon=True)
        self.until, self.requests, self.events = until, 0, 0
        payload = body(stream)
        self.request = (b'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
                        b'content-length: %d\r\n\r\n' % len(payload)) + payload
        self.end = b'\r\n0\r\n\r\n' if stream else None
        self.start()

    def run(self):
        with socket.create_connection(('127.0.0.1', FRONT)) as connection:
            while time.monotonic() < self.until:
                connection.sendall(self.request)
                self.read(connection)
                self.requests += 1

    def read(self, connection):
        got = b''
        while True:
            more = connection.recv(1 << 16)
            assert more, 'Penstock closed the connection'
            got += more
            if self.end:
                if got.endswith(self.end):
                    assert got.startswith(b'HTTP/1.1 200'), got[:200]
                    self.events += got.count(b'data: ')
                    return
                continue
            head, found, rest = got.partition(b'\r\n\r\n')
            if found:
                assert head.startswith(b'HTTP/1.1 200'), head
                length = next(int(line.split(b':')[1]) for line in head.split(b'\r\n')
                              if line.lower().startswith(b'content-length'))
                if len(rest) >= length:
                    return


def load(stream, seconds):
    until = time.monotonic() + seconds
    clients = [Client(stream, until) for _ in range(CLIENTS)]
    for client in clients:
        client.join()
    return sum(client.events if stream else client.requests for client in clients)


def processor_seconds(pid):
    """Of all its threads but the compiler's, which are at work for minutes and say nothing of a request."""
    ticks = 0
    for thread in os.listdir(f'/proc/{pid}/task'):
        try:
            with open(f'/proc/{pid}/task/{thread}/stat') as stat:
                name, fields = stat.read().split('(', 1)[1].rsplit(')', 1)
        except FileNotFoundError:
            continue  # It has just ended.
        if 'Compiler' not in name:
            ticks += sum(int(field) for field in fields.split()[11:13])
    return ticks / TICKS


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers['content-length']))
        self.send_response(200)
        self.send_header('content-length', '0')
        self.end_headers()

    def log_message(self, *args):
        pass


def again(path, stopped, pause):
    """Reads a path of the admin port to its end, again and again."""
    while not stopped.is_set():
        with urllib.request.urlopen(f'http://127.0.0.1:{ADMIN}{path}') as answer:
            while answer.read1(1 << 16) and not stopped.is_set():
                pass
        stopped.wait(pause)


def java(jar, *arguments, out=subprocess.DEVNULL):
    return subprocess.Popen(['java', '-XX:+UseSerialGC', '-Xmx512m', '-jar', jar, *arguments],
                            stdout=out, stderr=subprocess.STDOUT)


def measure(jar, settings, looks, seconds):
    """Microseconds of processor time for a request, and for an event."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, 'penstock.yaml')
        with open(file, 'w') as config:
            config.write(CONFIG + settings)
        with open(os.path.join(folder, 'log'), 'w') as log:
            process = java(jar, 'serve', '--config', file, out=log)
            stopped = threading.Event()
            try:
                ready()
                for path, pause in looks:
                    threading.Thread(target=again, args=(path, stopped, pause), daemon=True).start()
                figures = []
                for stream in (False, True):
                    load(stream, 1.5 * seconds)  # Until most of it is compiled.
                    before = processor_seconds(process.pid)
                    count = load(stream, seconds)
                    figures.append((processor_seconds(process.pid) - before) * 1e6 / count)
                return figures
            finally:
                stopped.set()
                process.terminate()
                process.wait(20)


def ready():
    for _ in range(200):
        try:
            urllib.request.urlopen(f'http://127.0.0.1:{ADMIN}/readyz').close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit('Penstock did not become ready')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rounds', type=int, default=2)
    parser.add_argument('--seconds', type=float, default=5)
    parser.add_argument('--against', metavar='JAR')
    options = parser.parse_args()
    variants = [('nothing', JAR, QUIET, []),
                ('access log', JAR, '', []),
                ('a viewer of the page', JAR, QUIET, [('/live', 1)]),
                ('a scrape each second', JAR, QUIET, [('/metrics', 1)]),
                ('1 % of the traces', JAR, QUIET + TRACES % (COLLECTOR, 0.01), []),
                ('all traces', JAR, QUIET + TRACES % (COLLECTOR, 1), [])]
    if options.against:
        variants.append(('nothing, other jar', options.against, QUIET, []))
    collector = http.server.ThreadingHTTPServer(('127.0.0.1', COLLECTOR), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    replica = java(JAR, 'sim', '--port', str(REPLICA), '--replicas', '1', '--host', '127.0.0.1',
                   '--first-token', '0', '--step', '1')
    got = {name: [] for name, *_ in variants}
    try:
        time.sleep(3)
        for number in range(options.rounds):
            for name, jar, settings, looks in variants[::-1] if number % 2 else variants:
                figures = measure(jar, settings, looks, options.seconds)
                got[name].append(figures)
                print('round %d: %-22s %7.1f µs a request %7.2f µs an event' % (number + 1, name, *figures), flush=True)
    finally:
        replica.terminate()
        replica.wait(20)
    print('\n%-22s %12s %8s %12s %8s' % ('switched on', 'µs/request', 'ratio', 'µs/event', 'ratio'))
    base = [statistics.median(column) for column in zip(*got['nothing'])]
    for name, figures in got.items():
        request, event = (statistics.median(column) for column in zip(*figures))
        print('%-22s %12.1f %8.2f %12.2f %8.2f' % (name, request, request / base[0], event, event / base[1]))


main()
