package io.penstock.proxy.front;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What a scripted replica does with one request. Runs on the connection's own thread, so it may block. */
@FunctionalInterface
public interface Script {

    /** Plays it. When it returns and the connection is open, the next request is read from it. */
    void play(Call call) throws Exception;

    /** A head with a length, as vLLM writes it. */
    static String head(int status, String type, int length) {
        return "HTTP/1.1 " + status + " " + (status == 200 ? "OK" : "Nope")
                + "\r\ndate: Tue, 24 Nov 2026 15:00:00 GMT\r\nserver: uvicorn\r\ncontent-length: " + length
                + "\r\ncontent-type: " + type + "\r\n\r\n";
    }

    /** A whole answer with a length. */
    static Script answer(int status, String type, String body) {
        return call -> call.send(head(status, type, body.length()) + body);
    }

    /** A whole JSON answer. */
    static Script json(String body) {
        return answer(200, "application/json", body);
    }

    /** The head of a stream, as vLLM writes it. */
    String STREAM_HEAD = String.join(
            "\r\n",
            "HTTP/1.1 200 OK",
            "date: Tue, 24 Nov 2026 15:00:00 GMT",
            "server: uvicorn",
            "content-type: text/event-stream; charset=utf-8",
            "transfer-encoding: chunked",
            "",
            "");

    /** The end marker of chat and completions. */
    String DONE = "data: [DONE]\n\n";

    /** What a whole answer of chat or completions ends with. */
    Script END = call -> {
        call.chunk(DONE);
        call.send("0\r\n\r\n");
    };

    /** Each event in a chunk of its own, then the end of the chunks. It is whole if the last is an end marker. */
    static Script stream(String... events) {
        return begun(events).then(call -> call.send("0\r\n\r\n"));
    }

    /** The beginning of a stream: head, then events. */
    static Script begun(String... events) {
        return call -> {
            call.send(STREAM_HEAD);
            for (String event : events) {
                call.chunk(event);
            }
        };
    }

    /** The rest of a stream that has begun, up to the end of its answer. */
    static Script rest(String... events) {
        return call -> {
            for (String event : events) {
                call.chunk(event);
            }
            END.play(call);
        };
    }

    /** Sends exactly this. */
    static Script raw(String text) {
        return call -> call.send(text);
    }

    /** Ends the connection. */
    Script FIN = Call::fin;

    /** Resets the connection. */
    Script RESET = Call::reset;

    /** Says nothing more until the other side closes. */
    Script SILENCE = Call::awaitClosed;

    /** Waits for the test. */
    static Script until(CountDownLatch signal) {
        return call -> {
            if (!signal.await(15, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the test never gave its signal");
            }
        };
    }

    /** Nothing for a while. */
    static Script after(int millis) {
        return call -> Thread.sleep(millis);
    }

    /** This one, then another. */
    default Script then(Script next) {
        return call -> {
            play(call);
            next.play(call);
        };
    }
}
