#!/bin/sh
# Runs chaos.js and meanwhile breaks simulated replicas, one at a time: kill and restart, hang for a while, hang and then
# be killed. Ends with k6's exit code: 0, or 99 if a threshold was crossed.
#
#   ./penstock sim --port 8101 --replicas 3 &                # its control port is 8100
#   ./penstock serve --upstream http://127.0.0.1:8101 --upstream http://127.0.0.1:8102 \
#       --upstream http://127.0.0.1:8103 &
#   k6/chaos.sh
#
# or in Docker, where the replicas are containers (docker kill, pause, stop, start) and k6 is one, too:
#
#   docker compose --profile sim up -d --wait --scale sim=3
#   COMPOSE=1 k6/chaos.sh
#
# Environment: ACTS, some of "kill hang hang-kill stop" in the order in which they are played (all; stop is for Docker
# only: SIGTERM, and time to finish), RATE, DURATION as k6 writes it (30s), PAUSE between two acts in seconds
# (3; 5 in Docker), LIMIT in seconds, after which everything is ended whatever happens (600). Without Docker also BASE,
# CONTROL and K6 (k6). What k6 is given on top: the arguments.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
: "${BASE:=http://127.0.0.1:8000}" "${CONTROL:=http://127.0.0.1:8100}" "${DURATION:=30s}" "${RATE:=8}"
: "${COMPOSE:=}" "${PAUSE:=$([ -n "$COMPOSE" ] && echo 5 || echo 3)}" "${K6:=k6}" "${LIMIT:=600}"
: "${ACTS:=kill hang hang-kill${COMPOSE:+ stop}}"
export BASE DURATION RATE

say() { echo "chaos: $*" >&2; }

# One order to a replica: kill, stop, start, hang or resume. A failure is told and passed over: they are broken on
# purpose.
if [ -n "$COMPOSE" ]; then
    file=$here/../docker-compose.yml
    name=penstock-chaos-$$
    list() { docker compose -f "$file" --profile sim ps -aq sim; }
    count() { list | wc -l; }
    run_k6() {
        exec docker compose -f "$file" --profile loadtest run --rm -T --name "$name" -e DURATION -e RATE \
            k6 run "$@" chaos.js
    }
    # Ending what waits for the container does not end the container.
    end_k6() { docker rm -f "$name" >/dev/null 2>&1 || true; }
    container() { printf '%s\n' "$containers" | sed -n "$(($1 + 1))p"; }
    order() {
        case $2 in
            hang) set -- "$1" pause ;;
            resume) set -- "$1" unpause ;;
        esac
        docker "$2" "$(container "$1")" >/dev/null || say "docker did not take: $2, replica $1"
    }
    heal() {
        ! docker inspect -f '{{.State.Paused}}' "$(container "$1")" | grep -q true || order "$1" resume
        order "$1" start
    }
    want="two containers or more of the service sim (docker compose --profile sim up -d --wait --scale sim=3)"
    needed=docker
else
    count() { curl -fsS -m 5 "$CONTROL/replicas" | grep -o '"running"' | wc -l; }
    run_k6() { exec "$K6" run "$@" "$here/chaos.js"; }
    end_k6() { :; }
    order() {
        case $2 in
            kill) set -- "$1" stop ;;
            hang) set -- "$1" 'fault?name=hang' ;;
            resume) set -- "$1" clear ;;
            stop) say "stop: only in Docker (COMPOSE=1)"; exit 2 ;;
        esac
        curl -fsS -m 5 -o /dev/null -X POST "$CONTROL/replicas/$1/$2" || say "the control port did not take: $1/$2"
    }
    heal() {
        order "$1" resume
        order "$1" start
    }
    want="a simulator with two replicas or more behind $CONTROL (penstock sim --replicas 3)"
    needed="$K6 curl"
fi

for tool in $needed; do
    command -v "$tool" >/dev/null 2>&1 || { say "$tool is not there; K6=PATH says where k6 is"; exit 2; }
done
replicas=$(count) || replicas=0
if [ "$replicas" -lt 2 ]; then
    say "want $want, found $((replicas))"
    exit 2
fi
[ -z "$COMPOSE" ] || containers=$(list)

k6=
clean_up() {
    trap - EXIT INT TERM
    if [ -n "$k6" ] && kill -0 "$k6" 2>/dev/null; then
        kill "$k6" 2>/dev/null || true
        wait "$k6" 2>/dev/null || true
        end_k6
    fi
    n=0
    while [ "$n" -lt "$replicas" ]; do
        heal "$n"
        n=$((n + 1))
    done
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

run_k6 "$@" &
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

# An act ends with 1 when k6 is done. What it broke is healed in any case, at the end.
play() {
    case $2 in
        kill | stop)
            say "replica $1: $2"
            order "$1" "$2"
            ;;
        hang | hang-kill)
            say "replica $1: hang"
            order "$1" hang
            ;;
        *) say "no such act: $2"; return 1 ;;
    esac
    pause "$PAUSE" || return 1
    if [ "$2" = hang-kill ]; then
        say "replica $1: kill, still hung"
        order "$1" kill
        pause "$PAUSE" || return 1
    fi
    say "replica $1: back"
    heal "$1"
}

turn=0
while pause "$PAUSE"; do
    # shellcheck disable=SC2086 # A list.
    set -- $ACTS
    shift $((turn % $#))
    play $((turn % replicas)) "$1" || break
    turn=$((turn + 1))
done

code=0
wait "$k6" || code=$?
exit "$code"
