package io.penstock.proxy.front;

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
import java.util.Locale;

/** A client that sends exact bytes and sees bytes, ends and resets. Every wait fails after ten seconds. */
public final class Client implements AutoCloseable {

    /** How a connection ended. */
    public enum End {
        /** In the ordinary way. */
        FIN,
        /** By a reset. */
        RESET
    }

    /** One whole answer: its head, its chunks if it was chunked, its body. */
    public record Reply(String head, List<String> chunks, String body) {

        /** The status. */
        public int status() {
            return Integer.parseInt(head.split(" ", 3)[1]);
        }

        /** All values of a header, in one string; empty if there are none. */
        public String header(String name) {
            List<String> values = new ArrayList<>();
            for (String line : head.lines().toList()) {
                if (line.toLowerCase(Locale.ROOT).startsWith(name + ":")) {
                    values.add(line.substring(name.length() + 1).strip());
                }
            }
            return String.join(" | ", values);
        }
    }

    private static final int TIMEOUT_MILLIS = 10_000;

    private final Socket socket = new Socket();
    private final InputStream in;

    private Client(int port, int receiveBuffer) throws IOException {
        socket.setTcpNoDelay(true);
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = socket.getInputStream();
    }

    /** Connects. */
    public static Client to(Stage stage) throws IOException {
        return new Client(stage.port(), 0);
    }

    /** Connects to a port of this machine. */
    public static Client to(int port) throws IOException {
        return new Client(port, 0);
    }

    /** Connects with a small receive buffer, so that not reading is felt soon. */
    public static Client narrow(Stage stage) throws IOException {
        return new Client(stage.port(), 4096);
    }

    /** A POST with a JSON body. */
    public static String post(String path, String body, String... headers) {
        return request("POST", path, headers)
                        .replace("\r\n\r\n", "\r\nContent-Type: application/json\r\nContent-Length: ")
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body;
    }

    /** A streaming chat request. */
    public static String chat(String... headers) {
        return post("/v1/chat/completions", "{\"model\":\"m\",\"stream\":true}", headers);
    }

    /** A request without a body. */
    public static String request(String method, String path, String... headers) {
        StringBuilder text = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: front:8000\r\n");
        for (String header : headers) {
            text.append(header).append("\r\n");
        }
        return text.append("\r\n").toString();
    }

    /** Writes text. */
    public Client send(String text) throws IOException {
        return send(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes bytes. */
    public Client send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    /** Leaves in the ordinary way. */
    public void fin() throws IOException {
        socket.close();
    }

    /** Ends the sending half only. */
    public Client finSending() throws IOException {
        socket.shutdownOutput();
        return this;
    }

    /** Leaves by a reset. */
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    /** Reads up to and with a text. */
    public String until(String mark) throws IOException {
        ByteArrayOutputStream seen = new ByteArrayOutputStream();
        int last = mark.charAt(mark.length() - 1);
        while (true) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("ended before '" + mark + "': " + seen.toString(StandardCharsets.UTF_8));
            }
            seen.write(next);
            if (next == last && seen.toString(StandardCharsets.ISO_8859_1).endsWith(mark)) {
                return seen.toString(StandardCharsets.UTF_8);
            }
        }
    }

    /** Reads a head. */
    public String head() throws IOException {
        return until("\r\n\r\n");
    }

    /** Reads one chunk's content; empty for the last one. */
    public String chunk() throws IOException {
        return new String(chunkBytes(), StandardCharsets.UTF_8);
    }

    private byte[] chunkBytes() throws IOException {
        byte[] content = in.readNBytes(Integer.parseInt(until("\r\n").strip(), 16));
        byte[] end = in.readNBytes(2);
        if (end.length != 2 || end[0] != '\r' || end[1] != '\n') {
            throw new IOException("a chunk did not end in CRLF");
        }
        return content;
    }

    /** Reads a whole answer. */
    public Reply reply() throws IOException {
        return reply(/* bodiless= */ false);
    }

    /** Reads a whole answer to HEAD, or one that has no body by its status. */
    public Reply bodilessReply() throws IOException {
        return reply(/* bodiless= */ true);
    }

    private Reply reply(boolean bodiless) throws IOException {
        String head = head();
        List<String> chunks = new ArrayList<>();
        if (bodiless) {
            return new Reply(head, chunks, "");
        }
        Reply known = new Reply(head, chunks, "");
        if (known.header("transfer-encoding").equals("chunked")) {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            for (byte[] chunk = chunkBytes(); chunk.length > 0; chunk = chunkBytes()) {
                chunks.add(new String(chunk, StandardCharsets.UTF_8));
                body.writeBytes(chunk);
            }
            return new Reply(head, chunks, body.toString(StandardCharsets.UTF_8));
        }
        byte[] body = in.readNBytes(Integer.parseInt(known.header("content-length")));
        return new Reply(head, chunks, new String(body, StandardCharsets.UTF_8));
    }

    /** Reads so many bytes. */
    public byte[] bytes(int count) throws IOException {
        return in.readNBytes(count);
    }

    /** Reads everything to the end, which must be an ordinary one. */
    public String rest() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Reads to the end and says how it ended. */
    public End end() throws IOException {
        try {
            in.transferTo(java.io.OutputStream.nullOutputStream());
            return End.FIN;
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (SocketException e) {
            return End.RESET;
        }
    }

    /** Whether nothing comes for a while, the end included. */
    public boolean isSilentFor(int millis) throws IOException {
        socket.setSoTimeout(millis);
        try {
            return in.read() < -1;
        } catch (SocketTimeoutException e) {
            return true;
        } finally {
            socket.setSoTimeout(TIMEOUT_MILLIS);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
