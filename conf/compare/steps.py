#!/usr/bin/env python3
"""Measures the steps of one idle vLLM: how long one takes by what it computes.

usage: steps.py [HOST:PORT]          (default 127.0.0.1:8001; it serves the model "demo", contexts of 2048 tokens)

Three tables: steps with outputs only, by the number of streams; the time to the first token of a new prompt on the idle
server, by its length; and the gap in running streams while a new prompt is computed, which is one step with both. Beside it
stand two models of that step, made of its parts as they are without each other: their sum, and the longer of them.
Needs nothing but Python 3.10, and a machine with nothing else to do.
"""
import http.client
import json
import random
import re
import statistics
import sys
import threading
import time

HOST, PORT = (sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8001").rsplit(":", 1)
WORDS = "the and for not you can are has any all new one two use get set".split()
REPEATS = 9


def text(tokens):
    """Words that are one token each, in an order that no cache knows."""
    return " ".join(random.choices(WORDS, k=tokens))


class Stream(threading.Thread):
    """One streamed completion; "times" grows by one for each token."""

    def __init__(self, prompt_tokens, output_tokens):
        super().__init__(daemon=True)
        self.times, self.stopped = [], False
        self.body = json.dumps({"model": "demo", "prompt": text(prompt_tokens), "max_tokens": output_tokens,
                                "ignore_eos": True, "stream": True})
        self.start()

    def run(self):
        connection = http.client.HTTPConnection(HOST, int(PORT), timeout=60)
        self.sent = time.perf_counter()
        connection.request("POST", "/v1/completions", self.body, {"content-type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            sys.exit(f"status {response.status}: {response.read(300)}")
        while not self.stopped:
            line = response.readline()
            if not line or line.startswith(b"data: [DONE]"):
                break
            if line.startswith(b"data:"):
                self.times.append(time.perf_counter())
        connection.close()

    def gaps(self, since, until):
        return [b - a for a, b in zip(self.times, self.times[1:]) if since <= a and b <= until]

    def gap_at(self, moment):
        """The gap that ends closest to a moment."""
        return min((abs(b - moment), b - a) for a, b in zip(self.times, self.times[1:]))[1]


def running(number):
    """So many streams, all past their prompts."""
    streams = [Stream(40, 1200) for _ in range(number)]
    wait(lambda: all(len(s.times) > 5 for s in streams))
    return streams


def stop(streams):
    for s in streams:
        s.stopped = True
    for s in streams:
        s.join()
    wait(idle)


def idle():
    connection = http.client.HTTPConnection(HOST, int(PORT), timeout=10)
    connection.request("GET", "/metrics")
    metrics = connection.getresponse().read().decode()
    connection.close()
    busy = re.findall(r"^vllm:num_requests_(?:running|waiting)\{.*} (\S+)$", metrics, re.M)
    return not any(float(each) for each in busy)


def wait(condition):
    until = time.perf_counter() + 60
    while not condition():
        if time.perf_counter() > until:
            sys.exit("waited for 60 s")
        time.sleep(0.05)


def line(xs, ys):
    """Least squares: y = a + b x; and the worst residual."""
    b = statistics.covariance(xs, ys) / statistics.variance(xs)
    a = statistics.mean(ys) - b * statistics.mean(xs)
    return a, b, max(abs(a + b * x - y) for x, y in zip(xs, ys))


def median(values):
    return 1000 * statistics.median(values)


def outputs_only():
    print("streams  step, ms (quartiles)")
    steps = {}
    for number in (1, 2, 4, 8, 16, 32, 64, 128):
        streams = running(number)
        since = time.perf_counter()
        time.sleep(3)
        gaps = [g for s in streams for g in s.gaps(since, time.perf_counter())]
        stop(streams)
        low, _, high = statistics.quantiles(gaps, n=4)
        steps[number] = median(gaps)
        print(f"{number:7d}  {steps[number]:6.1f} ({1000 * low:.1f} to {1000 * high:.1f})", flush=True)
    few = [n for n in steps if n <= 32]
    a, b, worst = line(few, [steps[n] for n in few])
    print(f"up to 32: {a:.1f} ms + {b:.3f} ms per stream, off by {worst:.1f} ms at most\n")
    return steps


def prompts_only():
    print("prompt tokens  first token, ms")
    firsts = {}
    for tokens in (64, 128, 256, 512, 1024, 1536, 1900):
        seen = []
        for _ in range(REPEATS):
            s = Stream(tokens, 1)
            s.join()
            seen.append(s.times[0] - s.sent)
            wait(idle)
        firsts[tokens] = median(seen)
        print(f"{tokens:13d}  {firsts[tokens]:6.1f}", flush=True)
    a, b, worst = line(list(firsts), list(firsts.values()))
    print(f"all: {a:.1f} ms + {b:.4f} ms per token ({1000 / b:.0f} tokens/s), off by {worst:.1f} ms at most\n")
    return b


def both(steps, per_token):
    print("streams  prompt tokens  before, ms  gap, ms    sum  longer   gap / sum  gap / longer")
    base = steps[1] - (steps[32] - steps[1]) / 31
    of_sum, of_longer = [], []
    for number in (1, 8, 32, 64):
        streams = running(number)
        for tokens in (64, 128, 256, 512, 1024):
            before, seen = [], []
            for _ in range(REPEATS):
                if len(streams[0].times) > min(1000, 12_000 // number):  # A cache of 33,000 tokens is enough.
                    stop(streams)
                    streams = running(number)
                since = time.perf_counter()
                time.sleep(0.2)
                before += [g for each in streams for g in each.gaps(since, time.perf_counter())]
                s = Stream(tokens, 1)
                s.join()
                time.sleep(0.1)
                seen.append(statistics.median(each.gap_at(s.times[0]) for each in streams))
            gap, decode = median(seen), median(before)
            # A prompt on its own costs a step's base as well.
            total, longer = decode + tokens * per_token, max(decode, base + tokens * per_token)
            of_sum.append(gap / total)
            of_longer.append(gap / longer)
            print(f"{number:7d}  {tokens:13d}  {decode:10.1f}  {gap:7.1f}  {total:5.1f}  {longer:6.1f}  {gap / total:10.2f}"
                  f"  {gap / longer:12.2f}", flush=True)
        stop(streams)
    for name, ratios in (("sum", of_sum), ("longer", of_longer)):
        print(f"gap / {name}: {min(ratios):.2f} to {max(ratios):.2f}, median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    wait(idle)
    both(outputs_only(), prompts_only())
