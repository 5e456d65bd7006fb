#!/bin/sh
# Checks the alerts, their tests and prometheus.yml with promtool (Debian: apt-get install prometheus), and, where it is
# named, a running Penstock's metrics: conf/observability/check.sh [http://127.0.0.1:8090/metrics]
set -eu
conf=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

promtool check rules "$conf/alerts.yml"
promtool test rules "$conf/alerts.test.yml"
# Side by side, as compose mounts them.
cp "$conf/alerts.yml" "$conf/observability/prometheus.yml" "$work"
promtool check config "$work/prometheus.yml"
if [ $# -gt 0 ]; then
    curl -fsS --max-time 10 "$1" >"$work/scrape"
    promtool check metrics <"$work/scrape"
    echo "$(grep -c '^# TYPE penstock_' "$work/scrape") metrics of Penstock: no complaints"
fi
