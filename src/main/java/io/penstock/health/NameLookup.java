package io.penstock.health;

import io.penstock.upstream.Discovery;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Asks the name service on worker threads and tells {@link Discovery}. A name that hangs holds one thread and nobody
 * else, and is not asked again before it returned. Confined to one event loop.
 */
final class NameLookup {

    private static final int THREADS = 16;

    private final WorkerExecutor workers;
    private final Discovery.Resolver resolver;
    private final Discovery discovery;
    private final Duration bound;
    private final Runnable late;
    private final Set<String> pending = new HashSet<>();

    /**
     * Makes a lookup with threads of its own.
     *
     * @param vertx whose threads
     * @param resolver who is asked
     * @param discovery who is told
     * @param bound how long one {@link #ask} may take
     * @param late run when a name answered after its {@link #ask} was over
     */
    NameLookup(Vertx vertx, Discovery.Resolver resolver, Discovery discovery, Duration bound, Runnable late) {
        this.workers = vertx.createSharedWorkerExecutor("penstock-names", THREADS, 1, TimeUnit.MINUTES);
        this.resolver = resolver;
        this.discovery = discovery;
        this.bound = bound;
        this.late = late;
    }

    /**
     * Looks names up, all at once. Those still being looked up since before are left to it.
     *
     * @param names host names
     * @return a future that never fails: all have answered, or the bound is over
     */
    Future<Void> ask(Set<String> names) {
        Map<String, Future<Void>> asked = new HashMap<>();
        boolean[] over = {false};
        for (String name : names) {
            // Before it is asked: the answer may be there before the call returns.
            if (pending.add(name)) {
                asked.put(name, lookUp(name, over));
            }
        }
        List<Future<Void>> all = new ArrayList<>(asked.values());
        return Future.join(all)
                .timeout(HttpProbe.millis(bound), TimeUnit.MILLISECONDS)
                .transform(outcome -> {
                    over[0] = true;
                    for (String name : asked.keySet()) {
                        if (pending.contains(name)) {
                            discovery.failed(name, "no answer within " + bound.toMillis() + " ms");
                        }
                    }
                    return Future.succeededFuture();
                });
    }

    private Future<Void> lookUp(String name, boolean[] over) {
        Future<List<String>> looking;
        try {
            looking = workers.executeBlocking(() -> resolver.addresses(name), /* ordered= */ false);
        } catch (RejectedExecutionException closing) {
            // The verticle is on its way out: nobody will look at the answer.
            return Future.succeededFuture();
        }
        return looking.transform(outcome -> {
            pending.remove(name);
            if (outcome.succeeded()) {
                discovery.answered(name, outcome.result());
            } else {
                discovery.failed(name, inWords(name, outcome.cause()));
            }
            if (over[0]) {
                late.run();
            }
            return Future.succeededFuture();
        });
    }

    private static String inWords(String name, Throwable failure) {
        String message = failure.getMessage();
        // The JDK's message for an unknown host is the host itself.
        return message == null || message.equals(name)
                ? failure.getClass().getSimpleName()
                : message.replace(name + ": ", "");
    }

    Future<Void> close() {
        return workers.close();
    }
}
