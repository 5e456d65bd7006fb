#!/bin/sh
# Penstock and whichever of nginx, HAProxy, vllm-router, sglang-router and SMG are here, by turns in front of the same
# simulated replicas (ports 8101 to 8104; the proxies take 9101 to 9106). Arguments go to "penstock bench routing".
#
# Programs come from the PATH, or from PENSTOCK_NGINX, PENSTOCK_HAPROXY, PENSTOCK_VLLM_ROUTER, PENSTOCK_SGLANG_ROUTER and
# PENSTOCK_SMG. The package of sglang-router has a program named smg too: one of its own past, not this SMG.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
nginx=${PENSTOCK_NGINX:-$(command -v nginx || true)}
haproxy=${PENSTOCK_HAPROXY:-$(command -v haproxy || true)}
vllm=${PENSTOCK_VLLM_ROUTER:-$(command -v vllm-router || true)}
sglang=${PENSTOCK_SGLANG_ROUTER:-$(command -v sglang-router || true)}
smg=${PENSTOCK_SMG:-$(command -v smg || true)}

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
# Routers: as they come, but for their logs, and for looking at once whether the replicas are there.
options="--host 127.0.0.1 --prometheus-host 127.0.0.1 --log-level error --worker-startup-check-interval 1"
# shellcheck disable=SC2086 # Lists.
router() { # NAME PORT POLICY PROGRAM...
    name=$1 port=$2 policy=$3
    shift 3
    launch "$name" "$port" "$@" $options --port "$port" --prometheus-port "$((port + 100))" --policy "$policy" \
        --worker-urls $replicas
}
[ -z "$vllm" ] || router vllm-router_cache_aware 9103 cache_aware "$vllm"
[ -z "$vllm" ] || router vllm-router_round_robin 9104 round_robin "$vllm"
[ -z "$sglang" ] || router sglang-router_cache_aware 9105 cache_aware "$sglang" launch
[ -z "$smg" ] || router smg_cache_aware 9106 cache_aware "$smg" launch

# shellcheck disable=SC2086
"${PENSTOCK:-$here/../../penstock}" bench routing --sockets --policies least_in_flight,predicted_delay $against "$@"
