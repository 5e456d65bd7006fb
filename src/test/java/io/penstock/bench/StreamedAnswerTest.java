package io.penstock.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerResponse;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StreamedAnswerTest {

    private final Vertx vertx = Vertx.vertx();
    private final AtomicLong clock = new AtomicLong(5);

    @AfterEach
    void close() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    @Test
    void theFirstEventCountsAndCommentsDoNot() throws Exception {
        long first = ask(response -> {
            response.setChunked(true);
            response.write(": nothing yet\n\n")
                    .onComplete(written -> vertx.setTimer(50, comment -> {
                        clock.set(7);
                        response.write("data: {}\n\n")
                                .onComplete(event -> vertx.setTimer(50, more -> {
                                    clock.set(9);
                                    response.end("data: {}\n\ndata: [DONE]\n\n");
                                }));
                    }));
        });

        assertThat(first).isEqualTo(7);
    }

    @Test
    void anAnswerWithoutItsEndFails() {
        assertThatThrownBy(() -> ask(response -> response.end("data: {}\n\n"))).hasMessageContaining("without its end");
    }

    @Test
    void anAnswerThatIsCutFails() {
        assertThatThrownBy(() -> ask(response -> {
                    response.setChunked(true);
                    response.write("data: {}\n\n").onComplete(written -> response.reset());
                }))
                .isNotNull();
    }

    @Test
    void anErrorFailsWithItsStatus() {
        assertThatThrownBy(() -> ask(response -> response.setStatusCode(503).end("no")))
                .hasMessageContaining("status 503");
    }

    private long ask(Consumer<HttpServerResponse> answer) throws Exception {
        HttpServer server = vertx.createHttpServer()
                .requestHandler(request -> answer.accept(request.response()))
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        HttpClient client = vertx.createHttpClient();
        return StreamedAnswer.to(
                        Buffer.buffer("{}"), new Contender("it", "127.0.0.1", server.actualPort()), client, clock::get)
                .toCompletionStage()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
    }
}
