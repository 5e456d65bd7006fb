package io.penstock.sim;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import org.jspecify.annotations.Nullable;

/**
 * Switches faults on and off by HTTP, on the replica's own port under {@code /sim/} and on a fleet's control port. A
 * black hole and a hang do not reach these paths.
 */
final class SimAdmin {

    private SimAdmin() {}

    /** Switches a fault on. */
    static Answer fault(Faults faults, @Nullable String name, @Nullable String argument, @Nullable String count) {
        if (name == null) {
            return problem("want ?name=NAME[&arg=N][&count=N], with one of " + Fault.menu());
        }
        try {
            RatedFault rated = RatedFault.parse(argument == null ? name : name + ":" + argument);
            if (count == null) {
                faults.set(rated);
            } else {
                faults.next(Integer.parseInt(count), rated.fault());
            }
            return Answer.json(
                    200,
                    new JsonObject()
                            .put("faults", new JsonArray(faults.active()))
                            .encode());
        } catch (IllegalArgumentException e) {
            return problem(String.valueOf(e.getMessage()));
        }
    }

    /** Answers a request for one of the paths under {@code /sim/}, other than a stop. */
    static Answer answer(Simulator simulator, SimRequest request) {
        String path = request.path();
        boolean post = request.method().equals("POST");
        if (path.equals("/sim/state")) {
            return request.method().equals("GET")
                    ? Answer.json(200, simulator.state().encode())
                    : Answer.wrongMethod("GET");
        }
        if (path.equals("/sim/fault")) {
            return post
                    ? fault(
                            simulator.faults(),
                            request.parameter("name"),
                            request.parameter("arg"),
                            request.parameter("count"))
                    : Answer.wrongMethod("POST");
        }
        if (path.equals("/sim/clear")) {
            if (post) {
                simulator.faults().clear();
            }
            return post ? Answer.json(200, "{\"faults\":[]}") : Answer.wrongMethod("POST");
        }
        return Answer.notFound();
    }

    private static Answer problem(String message) {
        return Answer.json(400, new JsonObject().put("error", message).encode());
    }
}
