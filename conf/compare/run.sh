#!/bin/sh
# Penstock and whichever of nginx, HAProxy and vllm-router are here, by turns in front of the same simulated replicas
# (ports 8101 to 8104; the proxies take 9101 to 9104). Arguments go to "penstock bench routing".
#
# Programs come from the PATH, or from PENSTOCK_NGINX, PENSTOCK_HAPROXY and PENSTOCK_VLLM_ROUTER.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
nginx=${PENSTOCK_NGINX:-$(command -v nginx || true)}
haproxy=${PENSTOCK_HAPROXY:-$(command -v haproxy || true)}
router=${PENSTOCK_VLLM_ROUTER:-$(command -v vllm-router || true)}

work=$(mktemp -d)
started=''
# shellcheck disable=SC2086 # A list.
trap 'kill $started 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# launch NAME PORT PROGRAM ARGUMENT...: starts a proxy, and lets it take part.
against=''
launch() {
    name=$1 port=$2
    shift 2
    "$@" >"$work/$port.log" 2>&1 &
    started="$started $!"
    against="$against --against $name=http://127.0.0.1:$port"
}

replicas='http://127.0.0.1:8101 http://127.0.0.1:8102 http://127.0.0.1:8103 http://127.0.0.1:8104'
[ -z "$nginx" ] || launch nginx_least_conn 9101 "$nginx" -p "$work/" -c "$here/nginx.conf"
[ -z "$haproxy" ] || launch haproxy_leastconn 9102 "$haproxy" -f "$here/haproxy.cfg"
if [ -n "$router" ]; then
    # shellcheck disable=SC2086 # A list.
    launch vllm-router_cache_aware 9103 "$router" --port 9103 --prometheus-port 9203 --policy cache_aware \
        --worker-startup-check-interval 1 --worker-urls $replicas
    # shellcheck disable=SC2086
    launch vllm-router_round_robin 9104 "$router" --port 9104 --prometheus-port 9204 --policy round_robin \
        --worker-startup-check-interval 1 --worker-urls $replicas
fi

# shellcheck disable=SC2086
"${PENSTOCK:-$here/../../penstock}" bench routing --sockets --policies least_in_flight,predicted_delay $against "$@"
