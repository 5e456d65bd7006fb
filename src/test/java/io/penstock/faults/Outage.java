package io.penstock.faults;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;

/**
 * Trouble with a replica (the first of three, or all of them) that lasts, and its end, while clients keep coming.
 *
 * @param name what happens
 * @param seconds how long it lasts
 * @param outSeconds when Penstock must have taken the replica out, since the first request came to it that it could not
 *     answer, or since the beginning if none did; 0 if nothing is promised
 * @param backSeconds when after the end it must be back; 0 if nothing is promised
 * @param goodSide whether others are well all the time, so that nobody may be let down before output
 * @param begin how it begins
 * @param end how it ends
 */
record Outage(String name, int seconds, int outSeconds, int backSeconds, boolean goodSide, Act begin, Act end) {

    /** What is done to the replicas. */
    interface Act {
        void to(Replicas replicas) throws Exception;
    }

    /** A model loads for a minute after its process was started again. */
    private static final int LOADING_SECONDS = 60;

    /** A closed port costs nobody anything; if no request finds it, a probe does, which comes every 2 s. */
    private static final int REFUSAL_SECONDS = 3;

    /** Three probes in a row that time out after 2 s, each 2 s after the one before, and the time to see it. */
    private static final int PROBES_SECONDS = 14;

    /** All of them. */
    static List<Outage> all() {
        return List.of(
                one(
                        "it refuses connections",
                        8,
                        REFUSAL_SECONDS,
                        3,
                        it -> it.wire(0).down(),
                        it -> it.wire(0).up()),
                one(
                        "SIGSTOP of the whole process",
                        16,
                        PROBES_SECONDS,
                        3,
                        it -> signal(it, "STOP"),
                        it -> signal(it, "CONT")),
                one("its engine hangs, /health says 200", 28, 15, 5, it -> fault(it, "hang"), Outage::clear),
                one("its API server hangs", 16, PROBES_SECONDS, 3, Outage::apiHangs, Outage::clear),
                one("black hole: no connection is accepted", 16, PROBES_SECONDS, 5, Outage::hole, Outage::holeEnds),
                one("500 on every POST", 12, 2, 0, it -> fault(it, "status:500"), Outage::clear),
                one("503 on every POST", 12, 0, 0, it -> fault(it, "status:503"), Outage::clear),
                one("20 times slower", 12, 0, 0, it -> fault(it, "slow:20"), Outage::clear),
                one(
                        "its port opens and closes every 5 s",
                        30,
                        REFUSAL_SECONDS,
                        5,
                        Outage::flaps,
                        it -> it.wire(0).up()),
                one(
                        "killed, and loads for 60 s",
                        LOADING_SECONDS,
                        REFUSAL_SECONDS,
                        3,
                        it -> it.kill(0),
                        it -> it.restart(0)),
                new Outage("all three down and back", 4, REFUSAL_SECONDS, 5, false, Outage::allDown, Outage::allBack));
    }

    private static Outage one(String name, int seconds, int out, int back, Act begin, Act end) {
        return new Outage(name, seconds, out, back, true, begin, end);
    }

    /** Whether it comes and goes by itself, so that nobody can say when the replica has to be in. */
    boolean flapping() {
        return name.contains("every 5 s");
    }

    /** Whether single requests show by and by that it is not well yet, each of which is answered elsewhere. */
    boolean tried() {
        return name.startsWith("500");
    }

    private static void signal(Replicas replicas, String name) throws Exception {
        replicas.sim(0).process().signal(name);
    }

    private static void apiHangs(Replicas replicas) throws Exception {
        fault(replicas, "health-hang");
        fault(replicas, "hold-before-head");
    }

    private static void hole(Replicas replicas) throws Exception {
        signal(replicas, "STOP");
        replicas.wire(0).hole();
    }

    private static void holeEnds(Replicas replicas) throws Exception {
        replicas.wire(0).holeEnds();
        signal(replicas, "CONT");
    }

    /** The caller waits 30 s; the port is closed, open, closed, open, closed, open in that time. */
    private static void flaps(Replicas replicas) throws Exception {
        replicas.wire(0).flap(5_000);
    }

    private static void allDown(Replicas replicas) {
        for (int i = 0; i < replicas.size(); i++) {
            replicas.wire(i).down();
        }
    }

    private static void allBack(Replicas replicas) {
        for (int i = 0; i < replicas.size(); i++) {
            replicas.wire(i).up();
        }
    }

    private static void fault(Replicas replicas, String fault) throws Exception {
        String[] parts = fault.split(":", 2);
        post(replicas, "/sim/fault?name=" + parts[0] + (parts.length > 1 ? "&arg=" + parts[1] : ""));
    }

    private static void clear(Replicas replicas) throws Exception {
        post(replicas, "/sim/clear");
    }

    private static void post(Replicas replicas, String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + replicas.sim(0).port() + path);
        HttpRequest request = HttpRequest.newBuilder(uri)
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        int status = HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.discarding())
                .statusCode();
        if (status != 200) {
            throw new IllegalStateException(path + ": " + status);
        }
    }
}
