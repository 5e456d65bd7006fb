package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.ConfigFile;
import io.penstock.config.Overrides;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Eventually;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From the key in the file to the collector, over sockets. */
class TracedPenstockTest {

    @TempDir
    private Path folder;

    @Test
    void whatIsNotYetExportedIsExportedOnTheWayDown() throws Exception {
        Vertx vertx = Main.vertx();
        try (ScriptedReplica replica = ScriptedReplica.start().always(Script.json("{}"));
                ScriptedReplica collector = ScriptedReplica.start().always(Script.json("{}"))) {
            Penstock penstock = start(vertx, replica, collector);
            Eventually.that("the replica is ready", () -> penstock.upstreams().anyOpen());
            try (Client client = Client.to(penstock.port())) {
                client.send(Client.post("/v1/embeddings", "{}", "X-Request-Id: traced"))
                        .reply();
            }
            await(penstock.drain());
            assertThat(replica.call(0).header("traceparent")).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]");
            assertThat(collector.calls())
                    .isNotEmpty()
                    .allSatisfy(call -> assertThat(call.requestLine()).isEqualTo("POST /v1/traces HTTP/1.1"));
            String exported = collector.calls().stream()
                    .map(call -> new String(call.body, StandardCharsets.ISO_8859_1))
                    .reduce("", String::concat);
            assertThat(exported).contains("penstock.request_id", "traced", "attempt 127.0.0.1:" + replica.port());
        } finally {
            await(vertx.close());
        }
    }

    private Penstock start(Vertx vertx, ScriptedReplica replica, ScriptedReplica collector) throws Exception {
        Path yaml = folder.resolve("penstock.yaml");
        Files.writeString(
                yaml,
                "admin: 127.0.0.1:0\ndrain: {lameDuck: 0s}\nlog: {access: false}\nupstreams: [\"http://127.0.0.1:"
                        + replica.port() + "\"]\ntracing: {endpoint: \"http://127.0.0.1:" + collector.port()
                        + "\"}\n");
        ConfigFile file = ConfigFile.choose(yaml, new Overrides("127.0.0.1:0", null, List.of()));
        Chance chance = new Chance(System::nanoTime, System::currentTimeMillis, () -> 0.5, () -> "id");
        return await(Penstock.start(vertx, file, file.read(), chance));
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }
}
