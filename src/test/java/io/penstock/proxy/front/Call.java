package io.penstock.proxy.front;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** One request as a scripted replica heard it, byte for byte, and the connection that it came by. */
public final class Call {

    /** The request line and the headers, with the empty line. */
    public final String head;
    /** The body as it was on the wire, chunk sizes included. */
    public final byte[] body;

    private final Socket socket;
    private volatile long closedNanos;
    private volatile boolean over;

    Call(Socket socket, String head, byte[] body) {
        this.socket = socket;
        this.head = head;
        this.body = body;
    }

    /** Writes text. */
    public void send(String text) throws IOException {
        send(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes bytes. */
    public void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    /** Writes one chunk. */
    public void chunk(String content) throws IOException {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        send(Integer.toHexString(bytes.length) + "\r\n" + content + "\r\n");
    }

    /** Ends the connection in the ordinary way. */
    public void fin() throws IOException {
        socket.close();
    }

    /** Resets the connection. */
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    /** Reads until the other side closes. */
    public void awaitClosed() throws IOException {
        try {
            while (socket.getInputStream().read() >= 0) {
                // What it may still say does not matter.
            }
        } catch (IOException reset) {
            // That is a close as well.
        }
        closedNanos = System.nanoTime();
        socket.close();
    }

    /** When the other side was seen to close, 0 if it was not. */
    public long closedNanos() {
        return closedNanos;
    }

    /** Whether the script has been played to its end. */
    public boolean over() {
        return over;
    }

    boolean cameBy(Socket connection) {
        return socket == connection;
    }

    void ends() {
        over = true;
    }

    /** The first line. */
    public String requestLine() {
        return head.substring(0, head.indexOf("\r\n"));
    }

    /** All values of a header. */
    public List<String> headers(String name) {
        List<String> values = new ArrayList<>();
        for (String line : head.lines().toList()) {
            if (line.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT) + ":")) {
                values.add(line.substring(name.length() + 1).strip());
            }
        }
        return values;
    }

    /** The one value of a header; empty if there is none, all of them if there are several. */
    public String header(String name) {
        return String.join(" | ", headers(name));
    }

    /** The body as text. */
    public String text() {
        return new String(body, StandardCharsets.UTF_8);
    }
}
