package io.penstock.faults;

import io.penstock.faults.Strike.Cut;
import io.penstock.faults.Strike.Manner;
import io.vertx.core.AsyncResult;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetSocket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One connection of a proxy to a wire, and the exchange that it carries now. Confined to one event loop. */
final class WireLine {

    private static final String LAST_CHUNK = "\r\n0\r\n\r\n";
    private static final int PART_OF_HEAD = 30;
    private static final long NO_TIMER = -1;

    private final Wire wire;
    private final NetSocket proxy;
    private Buffer asked = Buffer.buffer();
    private boolean busy;
    private boolean over;
    private @Nullable NetSocket replica;
    private @Nullable Strike strike;
    private Buffer answered = Buffer.buffer();
    private int passed;
    private boolean replicaReset;
    private long idleTimer = NO_TIMER;

    WireLine(Wire wire, NetSocket proxy) {
        this.wire = wire;
        this.proxy = proxy;
    }

    void start() {
        proxy.exceptionHandler(t -> {});
        proxy.closeHandler(v -> proxyLeft());
        proxy.handler(this::fromProxy);
    }

    private void fromProxy(Buffer bytes) {
        asked.appendBuffer(bytes);
        if (!busy) {
            next();
        }
    }

    private void next() {
        String text = asked.toString(StandardCharsets.ISO_8859_1);
        int head = text.indexOf("\r\n\r\n") + 4;
        if (head < 4) {
            return;
        }
        int end = requestEnd(text, head);
        if (end < 0 || end > text.length()) {
            return;
        }
        Buffer request = asked.getBuffer(0, end);
        asked = asked.getBuffer(end, asked.length());
        take(request, head, text.substring(head, end));
    }

    private static int requestEnd(String text, int head) {
        String lower = text.substring(0, head).toLowerCase(Locale.ROOT);
        if (lower.contains("\r\ntransfer-encoding: chunked")) {
            int last = text.startsWith("0\r\n\r\n", head) ? head - 2 : text.indexOf(LAST_CHUNK, head);
            return last < 0 ? -1 : last + LAST_CHUNK.length();
        }
        return head + length(lower);
    }

    private static int length(String lowerHead) {
        int at = lowerHead.indexOf("\r\ncontent-length:");
        return at < 0
                ? 0
                : Integer.parseInt(lowerHead
                        .substring(at + 17, lowerHead.indexOf('\r', at + 2))
                        .strip());
    }

    private void take(Buffer request, int head, String body) {
        busy = true;
        wire.began();
        if (Mischief.isQuestion(body)) {
            wire.asked();
        }
        stopIdle();
        answered = Buffer.buffer();
        passed = 0;
        replicaReset = false;
        strike = wire.mischief().arrives(body, wire.everybody());
        Strike struck = strike;
        if (struck != null && struck.cut() == Cut.KILL) {
            wire.kill();
            return;
        }
        if (struck != null && struck.cut() == Cut.NOTHING) {
            cut(struck.manner());
            return;
        }
        Buffer sent = struck == null || struck.simFault() == null
                ? request
                : request.getBuffer(0, head - 2)
                        .appendString("x-sim-fault: " + struck.simFault() + "\r\n\r\n")
                        .appendBuffer(request, head, request.length() - head);
        wire.dial().onComplete(dialled -> dialled(dialled, sent));
    }

    private void dialled(AsyncResult<NetSocket> dialled, Buffer request) {
        NetSocket socket = dialled.result();
        if (over) {
            if (socket != null) {
                close(socket);
            }
            return;
        }
        if (socket == null) {
            cut(Manner.RESET); // The replica is dying at this very moment.
            return;
        }
        replica = socket;
        socket.exceptionHandler(t -> replicaReset = true);
        socket.closeHandler(v -> replicaLeft(socket));
        socket.handler(bytes -> fromReplica(socket, bytes));
        socket.write(request).onFailure(t -> {
            // Its close handler says so.
        });
    }

    private void fromReplica(NetSocket from, Buffer bytes) {
        if (from != replica || over) {
            return;
        }
        answered.appendBuffer(bytes);
        String text = answered.toString(StandardCharsets.ISO_8859_1);
        int head = text.indexOf("\r\n\r\n") + 4;
        Strike struck = strike;
        Cut cut = struck == null ? null : struck.cut();
        if (struck != null && cut != null && strikes(cut, text, head)) {
            cut(struck.manner());
            return;
        }
        if (cut == null || cut == Cut.LAST_CHUNK) {
            passUpTo(answered.length());
        }
        if (head >= 4 && isWhole(text, head)) {
            release();
        }
    }

    /** Whether the place is reached; what comes before it has then been passed on. */
    private boolean strikes(Cut cut, String text, int head) {
        switch (cut) {
            case HALF_HEAD -> {
                if (text.length() < PART_OF_HEAD) {
                    return false;
                }
                passUpTo(PART_OF_HEAD);
            }
            case HEAD -> {
                if (head < 4) {
                    return false;
                }
                passUpTo(head);
            }
            case LAST_CHUNK -> {
                if (!text.endsWith(LAST_CHUNK)) {
                    return false;
                }
                passUpTo(text.length() - LAST_CHUNK.length() + 2);
            }
            case HALF_CHUNKED_BODY -> {
                if (head < 4 || !isWhole(text, head)) {
                    return false;
                }
                String half = text.substring(head, head + (text.length() - head) / 2);
                write(text.substring(0, head).replaceAll("content-length: \\d+", "transfer-encoding: chunked")
                        + Integer.toHexString(half.length()) + "\r\n" + half + "\r\n");
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static boolean isWhole(String text, int head) {
        String lower = text.substring(0, head).toLowerCase(Locale.ROOT);
        return lower.contains("\r\ntransfer-encoding: chunked")
                ? text.endsWith(LAST_CHUNK)
                : text.length() >= head + length(lower);
    }

    private void passUpTo(int end) {
        if (end > passed) {
            write(answered.getString(passed, end, "ISO-8859-1"));
            passed = end;
        }
    }

    private void write(String latin) {
        proxy.write(Buffer.buffer(latin.getBytes(StandardCharsets.ISO_8859_1))).onFailure(t -> {
            // Its close handler says so.
        });
    }

    private void release() {
        busy = false;
        wire.ended();
        NetSocket done = replica;
        replica = null;
        if (done != null) {
            close(done);
        }
        if (wire.idleMillis() > 0) {
            idleTimer = wire.vertx().setTimer(wire.idleMillis(), late -> close(proxy));
        }
        next();
    }

    private void replicaLeft(NetSocket from) {
        if (from == replica && !over) {
            replica = null;
            cut(replicaReset ? Manner.RESET : Manner.FIN);
        }
    }

    private void cut(Manner manner) {
        finish();
        if (manner == Manner.RESET) {
            Wire.reset(proxy);
        } else {
            close(proxy);
        }
    }

    private void proxyLeft() {
        wire.gone(proxy);
        finish();
    }

    private void finish() {
        if (over) {
            return;
        }
        over = true;
        stopIdle();
        if (busy) {
            busy = false;
            wire.ended();
        }
        NetSocket running = replica;
        replica = null;
        if (running != null) {
            close(running);
        }
    }

    private void stopIdle() {
        if (idleTimer != NO_TIMER) {
            wire.vertx().cancelTimer(idleTimer);
            idleTimer = NO_TIMER;
        }
    }

    private static void close(NetSocket socket) {
        socket.close().onFailure(t -> {
            // Closed already.
        });
    }
}
