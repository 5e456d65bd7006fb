#!/usr/bin/env python3
"""Whether every query of the dashboard and every alert finds what it asks for.

Runs simulated replicas, Penstock and a real Prometheus (Debian: apt-get install prometheus) on loopback ports for about
two minutes, with traffic and faults, then asks Prometheus each query of the dashboard and each series of
conf/alerts.yml. Prints those that got no number, and which alerts fired. Exits with 0 if all got some and check.sh is
content. Needs nothing else but Python 3; PENSTOCK names another program than this checkout's.
"""
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
PENSTOCK = os.environ.get('PENSTOCK', os.path.join(HERE, '..', '..', 'penstock'))
ALERTS = os.path.join(HERE, '..', 'alerts.yml')
DASHBOARD = os.path.join(HERE, 'grafana', 'dashboards', 'penstock.json')
CONTROL, REPLICAS, FRONT, ADMIN, PROMETHEUS = 18600, (18601, 18602, 18603), 18610, 18611, 18612
SCRAPE = '2s'
RATE = '8s'  # As Grafana does it: four scrapes.

CONFIG = """
selection: predicted_delay
progress: {suspect: 3s, stalled: 3s}
ejection: {consecutive: 3}
admission: {maxWait: 10s}
log: {access: false}
upstreams:
""" + ''.join(f'  - {{url: "http://127.0.0.1:{port}", maxInFlight: 16}}\n' for port in REPLICAS)

SCRAPES = f"""
global: {{scrape_interval: {SCRAPE}, evaluation_interval: {SCRAPE}}}
rule_files: [alerts.yml]
scrape_configs:
  - job_name: penstock
    static_configs: [{{targets: ["127.0.0.1:{ADMIN}"]}}]
  - job_name: vllm
    static_configs: [{{targets: [{', '.join(f'"127.0.0.1:{port}"' for port in REPLICAS)}]}}]
    relabel_configs: [{{source_labels: [__address__], target_label: replica}}]
"""


def call(port, method, path, body=None, timeout=10):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=timeout)
    try:
        connection.request(method, path, body, {'content-type': 'application/json'})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit(f'never so: {what}')


def chat(thread, turn):
    """A conversation that grows; every tenth client leaves, and every tenth asks for a model that nobody has."""
    text = f'caller {thread} ' + 'tell me more about it ' * (40 * (turn % 8 + 1))
    model = 'nobodys' if turn % 10 == 9 else 'demo'
    body = json.dumps({'model': model, 'stream': True, 'max_tokens': 60, 'messages': [{'role': 'user', 'content': text}]})
    connection = http.client.HTTPConnection('127.0.0.1', FRONT, timeout=30)
    try:
        connection.request('POST', '/v1/chat/completions', body, {'content-type': 'application/json'})
        answer = connection.getresponse()
        answer.read(200 if turn % 10 == 5 else None)
    except (OSError, http.client.HTTPException):
        pass  # As the faults have it.
    finally:
        connection.close()


def traffic(over):
    def client(thread):
        turn = 0
        while not over.is_set():
            chat(thread, turn)
            turn += 1
            time.sleep(0.05)

    threads = [threading.Thread(target=client, args=(i,), daemon=True) for i in range(12)]
    for thread in threads:
        thread.start()


def fault(replica, what):
    status, body = call(CONTROL, 'POST', f'/replicas/{replica}/{what}')
    if status >= 300:
        sys.exit(f'{what}: {status} {body}')


def trouble(yaml):
    print('quiet for 15 s', flush=True)
    time.sleep(15)
    print('errors, cut streams, a bad edit', flush=True)
    fault(0, 'fault?name=status&arg=500')
    fault(1, 'fault?name=reset-after&arg=3&count=3')
    with open(yaml, 'a', encoding='utf-8') as file:
        file.write('nonsense: 1\n')
    time.sleep(15)
    fault(0, 'clear')
    print('a hung engine, and a drained replica', flush=True)
    fault(1, 'fault?name=hang')
    drained = f'127.0.0.1:{REPLICAS[2]}'
    call(ADMIN, 'POST', f'/drain/{drained}')
    time.sleep(10)
    call(ADMIN, 'POST', f'/undrain/{drained}')
    time.sleep(35)
    fault(1, 'clear')
    print('nobody is left for 22 s', flush=True)
    for replica in range(3):
        fault(replica, 'stop')
    time.sleep(22)
    for replica in range(3):
        fault(replica, 'start')
    with open(yaml, 'w', encoding='utf-8') as file:
        file.write(CONFIG)
    print('all are back', flush=True)
    time.sleep(15)


def ask(query, start):
    """The numbers that a query got in the run; Prometheus' words if it did not like it."""
    query = re.sub(r'\$__rate_interval', RATE, query).replace('$__range', '2m').replace('$replica', '.*')
    parameters = {'query': query, 'start': start, 'end': time.time(), 'step': '2'}
    status, body = call(PROMETHEUS, 'GET', '/api/v1/query_range?' + urllib.parse.urlencode(parameters))
    answer = json.loads(body)
    if answer['status'] != 'success':
        return 0, answer['error']
    numbers = [value for series in answer['data']['result'] for _, value in series['values']]
    return sum(value != 'NaN' for value in numbers), f'{len(numbers)} values, all NaN' if numbers else 'no series'


def dashboard():
    with open(DASHBOARD, encoding='utf-8') as file:
        for panel in json.load(file)['panels']:
            for target in panel.get('targets', []):
                yield f"panel {panel['title']} ({target['refId']})", target['expr']


def alerts():
    """Each series of each alert: an alert that is quiet has no answer itself."""
    rule = re.compile(r'- alert: (\w+)\n\s+expr: (.*?)\n\s+(?:for|labels):', re.S)
    with open(ALERTS, encoding='utf-8') as file:
        for name, expression in rule.findall(file.read()):
            series = re.findall(r'\b(?:penstock_\w+|process_\w+|up)\b(?:\{[^}]*\})?', expression)
            for one in sorted(set(series)):
                yield f'alert {name}', one


def report(start):
    fired = json.loads(call(PROMETHEUS, 'GET', '/api/v1/query?' + urllib.parse.urlencode(
        {'query': 'count by (alertname) (last_over_time(ALERTS{alertstate="firing"}[10m]))'}))[1])
    print('fired:', ', '.join(sorted(each['metric']['alertname'] for each in fired['data']['result'])) or 'none')
    queries = [*dashboard(), *alerts()]
    silent = 0
    for where, query in queries:
        numbers, words = ask(query, start)
        if numbers == 0:
            silent += 1
            print(f'NOTHING  {where}: {query}\n         {words}')
    print(f'{len(queries) - silent} of {len(queries)} queries answered')
    return 1 if silent else 0


def main():
    if not shutil.which('prometheus'):
        sys.exit('there is no prometheus in the PATH (Debian: apt-get install prometheus)')
    work = tempfile.mkdtemp()
    started = []

    def launch(name, *command):
        log = open(os.path.join(work, name + '.log'), 'w', encoding='utf-8')
        started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=work))

    try:
        yaml = os.path.join(work, 'penstock.yaml')
        for path, text in ((yaml, CONFIG), (os.path.join(work, 'prometheus.yml'), SCRAPES)):
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
        shutil.copy(ALERTS, work)
        launch('sim', PENSTOCK, 'sim', '--port', str(REPLICAS[0]), '--replicas', '3', '--control', str(CONTROL),
               '--profile', 'tiny-cpu')
        until('the replicas are up', lambda: call(REPLICAS[2], 'GET', '/health')[0] == 200, 120)
        launch('penstock', PENSTOCK, 'serve', '--config', yaml, '--listen', f'127.0.0.1:{FRONT}',
               '--admin', f'127.0.0.1:{ADMIN}')
        until('Penstock is ready', lambda: call(ADMIN, 'GET', '/readyz')[0] == 200)
        launch('prometheus', 'prometheus', '--config.file=prometheus.yml', f'--web.listen-address=127.0.0.1:{PROMETHEUS}',
               '--storage.tsdb.path=' + os.path.join(work, 'data'))
        until('Prometheus is ready', lambda: call(PROMETHEUS, 'GET', '/-/ready')[0] == 200)
        start = time.time()
        over = threading.Event()
        traffic(over)
        trouble(yaml)
        over.set()
        result = report(start)
        if shutil.which('promtool'):
            check = os.path.join(HERE, 'check.sh')
            result |= subprocess.run([check, f'http://127.0.0.1:{ADMIN}/metrics'], check=False).returncode
        return result
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(work)


if __name__ == '__main__':
    sys.exit(main())
