package io.penstock.sim;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One request and the way its answer goes out: whole, as a stream of chunks, or broken on purpose. Confined to one
 * event loop. After the end every call does nothing.
 */
final class Exchange {

    /** How an exchange came to its end. */
    enum End {
        /** It has not. */
        OPEN,
        /** The answer went out in full. */
        ANSWERED,
        /** We cut it. */
        CUT,
        /** The client left. */
        ABANDONED
    }

    private final SimConnection connection;
    private final SimRequest request;
    private Runnable abandoned = () -> {};
    private End end = End.OPEN;
    private boolean finishing;
    private int status;
    private boolean cutsBody;
    private boolean closes;
    private Duration trickle = Duration.ZERO;
    private Buffer held = Buffer.buffer();
    private boolean trickling;
    private @Nullable Runnable afterwards;

    Exchange(SimConnection connection, SimRequest request) {
        this.connection = connection;
        this.request = request;
    }

    SimRequest request() {
        return request;
    }

    /** The status that was sent, or 0 if none was. */
    int status() {
        return status;
    }

    End end() {
        return end;
    }

    boolean keepsConnection() {
        return !closes && request.keepsConnection();
    }

    /** What to do when the client leaves before the end. */
    void onAbandoned(Runnable action) {
        abandoned = action;
    }

    /** From now on one byte goes out per interval. */
    void trickle(Duration interval) {
        trickle = interval;
    }

    /** The answer's body will be cut in the middle. */
    void cutBody() {
        cutsBody = true;
    }

    /** Sends a whole answer. */
    void answer(Answer answer) {
        status = answer.status();
        Buffer bytes = Answer.head(status, connection.owner().date(), answer.fields(), !keepsConnection(), "");
        if (cutsBody) {
            send(bytes.appendBuffer(answer.body(), 0, answer.body().length() / 2));
            fin();
            return;
        }
        if (!request.method().equals("HEAD")) {
            bytes.appendBuffer(answer.body());
        }
        send(bytes);
        finish(End.ANSWERED, () -> connection.answered(this));
    }

    /** Sends a whole answer after which the server closes the connection. */
    void answerAndClose(Answer answer) {
        closes = true;
        answer(answer);
    }

    /** Sends the head of a stream. */
    void openStream() {
        status = 200;
        send(Answer.head(
                status,
                connection.owner().date(),
                List.of("content-type: text/event-stream; charset=utf-8", Answer.VARY),
                !keepsConnection(),
                "transfer-encoding: chunked\r\n"));
    }

    /** Sends events, each as one chunk, all in one write. */
    void events(List<String> events) {
        if (!events.isEmpty()) {
            Buffer bytes = Buffer.buffer();
            events.forEach(event -> bytes.appendBuffer(chunk(event)));
            send(bytes);
        }
    }

    /** Sends bytes as they are. */
    void raw(Buffer bytes) {
        send(bytes);
    }

    /** Sends the last chunk, in a write of its own. */
    void endStream() {
        send(Buffer.buffer("0\r\n\r\n"));
        finish(End.ANSWERED, () -> connection.answered(this));
    }

    /** Ends the connection after what was sent. */
    void fin() {
        finish(End.CUT, () -> connection.finish(this));
    }

    /** Resets the connection. */
    void reset() {
        finish(End.CUT, () -> connection.reset(this));
    }

    /** The server dies: a reset now, whatever was still to come. */
    void kill() {
        trickling = false;
        held = Buffer.buffer();
        reset();
        abandoned.run();
    }

    /** The client has left. */
    void abandon() {
        finishing = true;
        held = Buffer.buffer();
        if (end == End.OPEN) {
            end = End.ABANDONED;
            connection.owner().onEnd(this);
            abandoned.run();
        }
    }

    /** An event with its chunk's frame. */
    static Buffer chunk(String event) {
        byte[] bytes = event.getBytes(StandardCharsets.UTF_8);
        return Buffer.buffer(Integer.toHexString(bytes.length))
                .appendString("\r\n")
                .appendBytes(bytes)
                .appendString("\r\n");
    }

    private void send(Buffer bytes) {
        if (finishing) {
            return;
        }
        if (trickle.isZero()) {
            connection.write(bytes);
            return;
        }
        held.appendBuffer(bytes);
        if (!trickling) {
            trickling = true;
            drip();
        }
    }

    private void drip() {
        if (held.length() > 0) {
            connection.write(held.getBuffer(0, 1));
            held = held.getBuffer(1, held.length());
            connection.owner().timers().after(trickle, this::drip);
            return;
        }
        trickling = false;
        if (afterwards != null && end == End.OPEN) {
            afterwards.run();
        }
    }

    private void finish(End how, Runnable action) {
        if (finishing) {
            return;
        }
        finishing = true;
        Runnable ending = () -> {
            end = how;
            action.run();
        };
        if (trickling) {
            afterwards = ending;
        } else {
            ending.run();
        }
    }
}
