package io.penstock.sim;

import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One generation request from its acceptance to its last byte, with what goes wrong on the way. */
final class Generation {

    private final Exchange exchange;
    private final Protocol protocol;
    private final Draft draft;
    private final Shape shape;
    private final @Nullable Fault fault;
    private final Engine engine;
    private final SimMetrics metrics;
    private final Timers timers;
    private final boolean streams;
    private Engine.@Nullable Slot slot;
    private boolean over;

    Generation(
            Exchange exchange,
            Protocol protocol,
            Draft draft,
            @Nullable Fault fault,
            Engine engine,
            SimMetrics metrics,
            Timers timers) {
        this.exchange = exchange;
        this.protocol = protocol;
        this.draft = draft;
        this.shape = protocol.shape(draft);
        this.fault = fault;
        this.engine = engine;
        this.metrics = metrics;
        this.timers = timers;
        this.streams = Boolean.TRUE.equals(draft.request().getValue("stream"));
    }

    /** Begins: the head of a stream goes out now, whatever happens later. */
    void start() {
        exchange.onAbandoned(this::leave);
        Fault.Kind kind = fault == null ? null : fault.kind();
        if (!streams && kind == Fault.Kind.ERROR_FIRST) {
            exchange.answer(Refusal.status(protocol, 503));
            return;
        }
        if (streams) {
            exchange.openStream();
            exchange.events(shape.accepted());
        }
        if (fault == null || kind == null) {
            admit(1);
            return;
        }
        switch (kind) {
            case ERROR_FIRST -> die(shape.overload());
            case HANG -> {}
            case STALL_BEFORE_FIRST_TOKEN -> {
                if (fault.argument() > 0) {
                    timers.after(Duration.ofMillis(fault.argument()), () -> admit(1));
                }
            }
            case SLOW -> admit(Math.max(1, fault.argument()));
            default -> admit(1);
        }
    }

    private void admit(long slowdown) {
        if (!over) {
            metrics.accepted(draft);
            slot = engine.admit(draft.prompt(), draft.completion().size(), slowdown, this::token);
        }
    }

    private void token(int index) {
        metrics.token(draft, index);
        Engine.Slot made = slot;
        if (index == 0 && made != null) {
            shape.cached(made.cachedTokens());
        }
        if (strikes(index)) {
            return;
        }
        if (streams) {
            List<String> events = new ArrayList<>();
            if (index == 0) {
                events.addAll(shape.opening());
            }
            events.add(shape.token(index));
            exchange.events(events);
        }
        if (index == draft.completion().size() - 1 && !strikes(index + 1)) {
            complete();
        }
    }

    private void complete() {
        over = true;
        metrics.finished(draft);
        if (!streams) {
            exchange.answer(Answer.json(200, shape.whole()));
            return;
        }
        List<String> closing = shape.closing();
        for (String event : closing.subList(0, closing.size() - 1)) {
            exchange.events(List.of(event));
        }
        String marker = closing.get(closing.size() - 1);
        if (fault != null && fault.kind() == Fault.Kind.SPLIT_DONE) {
            split(marker);
            return;
        }
        if (fault == null || fault.kind() != Fault.Kind.NO_DONE) {
            exchange.events(List.of(marker));
        }
        exchange.endStream();
    }

    private void split(String marker) {
        // In the middle of the marker's last word, whichever it is.
        int cut = marker.length() - 5;
        exchange.events(List.of(marker.substring(0, cut)));
        timers.after(Duration.ofMillis(fault == null ? 0 : fault.argument()), () -> {
            exchange.events(List.of(marker.substring(cut)));
            exchange.endStream();
        });
    }

    /** Whether the fault strikes now, in place of the token with this index; if so, it has. */
    private boolean strikes(int index) {
        if (fault == null || over || !fault.strikesAfterTokens() || fault.argument() != index) {
            return false;
        }
        if (fault.kind() == Fault.Kind.STALL_AFTER) {
            hold();
            return true;
        }
        leave();
        switch (fault.kind()) {
            case RESET_AFTER -> exchange.reset();
            case END_AFTER -> endBare();
            case ERROR_AFTER -> die(shape.death());
            case MALFORMED_CHUNK_AFTER -> cut(Buffer.buffer("zz\r\ndata: {\n\n\r\n"));
            default ->
                cut(half(Exchange.chunk(
                        index < draft.completion().size()
                                ? shape.token(index)
                                : shape.closing().get(0))));
        }
        return true;
    }

    private void endBare() {
        if (streams) {
            exchange.endStream();
        } else {
            exchange.fin();
        }
    }

    private void cut(Buffer last) {
        if (streams) {
            exchange.raw(last);
        }
        exchange.fin();
    }

    private void die(List<String> events) {
        if (!streams) {
            exchange.answer(Refusal.status(protocol, 500));
            return;
        }
        events.forEach(event -> exchange.events(List.of(event)));
        if (shape.diesCleanly()) {
            exchange.endStream();
        } else {
            exchange.fin();
        }
    }

    private static Buffer half(Buffer bytes) {
        return bytes.getBuffer(0, bytes.length() / 2);
    }

    private void hold() {
        Engine.Slot held = slot;
        if (held != null) {
            held.hold();
        }
    }

    private void leave() {
        over = true;
        metrics.left(draft);
        Engine.Slot left = slot;
        if (left != null) {
            left.leave();
        }
    }
}
