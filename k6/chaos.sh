#!/bin/sh
# Runs chaos.js and meanwhile breaks simulated replicas, one at a time, through the simulator's control port: kill and
# restart, hang for a while, hang and then be killed. Ends with k6's exit code: 0, or 99 if a threshold was crossed.
#
#   ./penstock sim --port 8101 --replicas 3 &                # its control port is 8100
#   ./penstock serve --upstream http://127.0.0.1:8101 --upstream http://127.0.0.1:8102 \
#       --upstream http://127.0.0.1:8103 &
#   k6/chaos.sh
#
# Environment: BASE, CONTROL, RATE, DURATION as k6 writes it (30s), PAUSE between two acts in seconds (3), K6 (k6),
# LIMIT in seconds, after which everything is ended whatever happens (600). What k6 is given on top: the arguments.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
: "${BASE:=http://127.0.0.1:8000}" "${CONTROL:=http://127.0.0.1:8100}" "${DURATION:=30s}" "${RATE:=8}"
: "${PAUSE:=3}" "${K6:=k6}" "${LIMIT:=600}"
export BASE DURATION RATE

say() { echo "chaos: $*" >&2; }

# One order to the control port. A failure is told and passed over: the replicas are broken on purpose.
order() {
    curl -fsS -m 5 -o /dev/null -X POST "$CONTROL/replicas/$1" || say "the control port did not take: $1"
}

for tool in "$K6" curl; do
    command -v "$tool" >/dev/null 2>&1 || { say "$tool is not there; K6=PATH says where k6 is"; exit 2; }
done
replicas=$(curl -fsS -m 5 "$CONTROL/replicas" | grep -o '"running"' | wc -l) || replicas=0
if [ "$replicas" -lt 2 ]; then
    say "want a simulator with two replicas or more behind $CONTROL (penstock sim --replicas 3), found $((replicas))"
    exit 2
fi

k6=
clean_up() {
    trap - EXIT INT TERM
    if [ -n "$k6" ] && kill -0 "$k6" 2>/dev/null; then
        kill "$k6" 2>/dev/null || true
        wait "$k6" 2>/dev/null || true
    fi
    n=0
    while [ "$n" -lt "$replicas" ]; do
        order "$n/clear"
        order "$n/start"
        n=$((n + 1))
    done
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$K6" run "$@" "$here/chaos.js" &
k6=$!

# Waits, and says whether k6 is still at it.
spent=0
pause() {
    left=$1
    while [ "$left" -gt 0 ] && kill -0 "$k6" 2>/dev/null; do
        sleep 1
        left=$((left - 1))
        spent=$((spent + 1))
        if [ "$spent" -ge "$LIMIT" ]; then
            say "over the limit of $LIMIT s"
            kill "$k6" 2>/dev/null || true
            return 1
        fi
    done
    kill -0 "$k6" 2>/dev/null
}

killed() {
    say "replica $1 is killed"
    order "$1/stop"
    pause "$PAUSE" || return 1
    say "replica $1 starts"
    order "$1/start"
}

hung() {
    say "replica $1 hangs"
    order "$1/fault?name=hang"
    pause "$PAUSE" || return 1
    say "replica $1 goes on"
    order "$1/clear"
}

hung_and_killed() {
    say "replica $1 hangs"
    order "$1/fault?name=hang"
    pause "$PAUSE" || return 1
    say "replica $1, still hung, is killed"
    order "$1/stop"
    pause "$PAUSE" || return 1
    say "replica $1 starts"
    order "$1/clear"
    order "$1/start"
}

turn=0
while pause "$PAUSE"; do
    replica=$((turn % replicas))
    case $((turn % 3)) in
        0) killed "$replica" || break ;;
        1) hung "$replica" || break ;;
        2) hung_and_killed "$replica" || break ;;
    esac
    turn=$((turn + 1))
done

code=0
wait "$k6" || code=$?
exit "$code"
