#!/bin/sh
# Penstock with two policies, and nginx if it is here, by turns in front of replicas that are running already, real ones:
#
#   real.sh HOST:PORT,HOST:PORT [ARGUMENT...]
#
# They serve a model named demo. The cell "tiny" wants contexts of 2048 tokens and caches of some 33,000 tokens, so that one
# cannot hold all its prompts. For two on one machine without a GPU, with any small model:
#
#   VLLM_CPU_KVCACHE_SPACE=1 VLLM_CPU_OMP_THREADS_BIND=0 vllm serve MODEL --served-model-name demo --port 8001 \
#       --max-model-len 2048 --num-gpu-blocks-override 256
#
# and the same on core 1 and port 8002. Other arguments go to "penstock bench routing". nginx comes from the PATH, or from
# PENSTOCK_NGINX; it takes port 9101.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
replicas=${1:?"HOST:PORT,HOST:PORT of the replicas"}
shift
nginx=${PENSTOCK_NGINX:-$(command -v nginx || true)}

work=$(mktemp -d)
started=''
# shellcheck disable=SC2086 # A list.
trap 'kill $started 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

against=''
if [ -n "$nginx" ]; then
    servers=$(printf '%s\n' "$replicas" | tr ',' '\n' | sed 's/.*/server & max_fails=0;/' | tr '\n' ' ')
    # The servers of nginx.conf, but others.
    sed "/server 127.0.0.1:8101 /s/.*/$servers/; /server 127.0.0.1:810[2-4] /d" "$here/nginx.conf" >"$work/nginx.conf"
    "$nginx" -p "$work/" -c "$work/nginx.conf" >"$work/nginx.log" 2>&1 &
    started=$!
    against='--against nginx_least_conn=http://127.0.0.1:9101'
fi

# shellcheck disable=SC2086
"${PENSTOCK:-$here/../../penstock}" bench routing --replicas "$replicas" --policies least_in_flight,predicted_delay \
    $against "$@"
