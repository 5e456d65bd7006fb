package io.penstock.sim;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A client that sees bytes, ends and resets. Every wait fails after ten seconds. */
final class RawClient implements AutoCloseable {

    /** How the server ended the connection. */
    enum End {
        FIN,
        RESET
    }

    /** One whole answer. */
    record Reply(String head, List<String> chunks, String body) {

        int status() {
            return Integer.parseInt(head.split(" ", 3)[1]);
        }
    }

    private static final int TIMEOUT_MILLIS = 10_000;

    private final Socket socket = new Socket();
    private final InputStream in;

    private RawClient(int port) throws IOException {
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = socket.getInputStream();
    }

    static RawClient to(Simulator simulator) throws IOException {
        return new RawClient(simulator.port());
    }

    static boolean isRefused(int port) throws IOException {
        try {
            new RawClient(port).close();
            return false;
        } catch (java.net.ConnectException e) {
            return true;
        } catch (java.net.SocketException resetWhileClosing) {
            return false; // The port took the connection, and went before anyone accepted it.
        }
    }

    static String post(String path, String body, String... headers) {
        StringBuilder text = new StringBuilder("POST " + path + " HTTP/1.1\r\nHost: x\r\n");
        text.append("Content-Type: application/json\r\nContent-Length: ")
                .append(body.getBytes(StandardCharsets.UTF_8).length)
                .append("\r\n");
        for (String header : headers) {
            text.append(header).append("\r\n");
        }
        return text.append("\r\n").append(body).toString();
    }

    static String get(String path, String... headers) {
        StringBuilder text = new StringBuilder("GET " + path + " HTTP/1.1\r\nHost: x\r\n");
        for (String header : headers) {
            text.append(header).append("\r\n");
        }
        return text.append("\r\n").toString();
    }

    RawClient send(String text) throws IOException {
        return send(text.getBytes(StandardCharsets.UTF_8));
    }

    RawClient send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    void closeSendingHalf() throws IOException {
        socket.shutdownOutput();
    }

    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    /** Up to and with a text. */
    String until(String mark) throws IOException {
        byte[] wanted = mark.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream seen = new ByteArrayOutputStream();
        while (!endsWith(seen.toByteArray(), wanted)) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("ended before '" + mark + "': " + seen.toString(StandardCharsets.UTF_8));
            }
            seen.write(next);
        }
        return seen.toString(StandardCharsets.UTF_8);
    }

    String head() throws IOException {
        return until("\r\n\r\n");
    }

    /** So many bytes, one char each. */
    String bytes(int count) throws IOException {
        return new String(in.readNBytes(count), StandardCharsets.ISO_8859_1);
    }

    /** One chunk's content; empty for the last one. */
    String chunk() throws IOException {
        String size = until("\r\n").strip();
        byte[] content = in.readNBytes(Integer.parseInt(size, 16));
        assertCrlf(in.readNBytes(2));
        return new String(content, StandardCharsets.UTF_8);
    }

    Reply reply() throws IOException {
        String head = head();
        List<String> chunks = new ArrayList<>();
        if (head.contains("transfer-encoding: chunked")) {
            for (String chunk = chunk(); !chunk.isEmpty(); chunk = chunk()) {
                chunks.add(chunk);
            }
            return new Reply(head, chunks, String.join("", chunks));
        }
        String length = head.replaceAll("(?s).*content-length: (\\d+).*", "$1");
        byte[] body = in.readNBytes(Integer.parseInt(length));
        return new Reply(head, chunks, new String(body, StandardCharsets.UTF_8));
    }

    /** Everything to the end of the connection. */
    byte[] rest() throws IOException {
        return in.readAllBytes();
    }

    String restText() throws IOException {
        return new String(rest(), StandardCharsets.UTF_8);
    }

    /** How the connection ends; what still comes is thrown away. */
    End end() throws IOException {
        try {
            rest();
            return End.FIN;
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (SocketException e) {
            return End.RESET;
        }
    }

    /** Whether nothing comes for a while. */
    boolean isSilentFor(int millis) throws IOException {
        socket.setSoTimeout(millis);
        try {
            in.read();
            return false;
        } catch (SocketTimeoutException e) {
            return true;
        } finally {
            socket.setSoTimeout(TIMEOUT_MILLIS);
        }
    }

    private static void assertCrlf(byte[] bytes) throws IOException {
        if (bytes.length != 2 || bytes[0] != '\r' || bytes[1] != '\n') {
            throw new IOException("a chunk did not end in CRLF");
        }
    }

    private static boolean endsWith(byte[] text, byte[] end) {
        if (text.length < end.length) {
            return false;
        }
        for (int i = 0; i < end.length; i++) {
            if (text[text.length - end.length + i] != end[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
