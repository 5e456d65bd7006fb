package io.penstock.faults;

import io.penstock.faults.Reply.End;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** A client's connection: it sends exact bytes and reads whatever comes, also what no library would show. */
final class Caller implements AutoCloseable {

    private static final int CONNECT_MILLIS = 10_000;
    private static final int LONGEST_HEAD = 64 << 10;

    private final Socket socket = new Socket();
    private final InputStream in;
    private final int patienceMillis;
    private int readPauseMillis;
    private long deadlineNanos;

    /**
     * Connects.
     *
     * @param port on the loopback interface
     * @param patienceMillis how long one answer may take as a whole, signs of life or not
     * @param receiveBuffer the kernel's buffer in bytes, 0 for the usual one
     */
    Caller(int port, int patienceMillis, int receiveBuffer) throws IOException {
        socket.setTcpNoDelay(true);
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
        this.patienceMillis = patienceMillis;
        socket.setSoTimeout(patienceMillis);
        in = new BufferedInputStream(socket.getInputStream(), receiveBuffer > 0 ? 64 : 8192);
    }

    /** From now on each read of body bytes is followed by a pause. */
    void readSlowly(int pauseMillis) {
        readPauseMillis = pauseMillis;
    }

    void send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Ends the sending half only. */
    void finSending() throws IOException {
        socket.shutdownOutput();
    }

    /** Leaves by a reset. */
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    /** Reads some bytes, or none if the connection is over. */
    void readSome(int most) throws IOException {
        int read = in.readNBytes(most).length;
        assert read <= most;
    }

    /** Reads one answer. Never fails: how it ended is part of the answer. */
    Reply reply() {
        deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(patienceMillis);
        String head = "";
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        try {
            head = line("\r\n\r\n");
            while (head.startsWith("HTTP/1.1 1")) {
                head = line("\r\n\r\n");
            }
            End end = body(new Reply(head, "", End.WHOLE), body);
            return new Reply(head, body.toString(StandardCharsets.UTF_8), end);
        } catch (SocketTimeoutException silence) {
            return new Reply(head, body.toString(StandardCharsets.UTF_8), End.SILENCE);
        } catch (IOException cut) {
            return new Reply(head, body.toString(StandardCharsets.UTF_8), End.CUT);
        }
    }

    private End body(Reply head, ByteArrayOutputStream body) throws IOException {
        if (head.header("transfer-encoding").equals("chunked")) {
            while (true) {
                int size = chunkSize(line("\r\n"));
                copy(size, body);
                if (!line("\r\n").equals("\r\n")) {
                    throw new IOException("a chunk that does not end in CRLF");
                }
                if (size == 0) {
                    return End.WHOLE;
                }
            }
        }
        String length = head.header("content-length");
        if (!length.isEmpty()) {
            copy(Integer.parseInt(length), body);
            return End.WHOLE;
        }
        copy(Integer.MAX_VALUE, body);
        return End.UNFRAMED;
    }

    private static int chunkSize(String line) throws IOException {
        try {
            return Integer.parseInt(line.strip().toLowerCase(Locale.ROOT), 16);
        } catch (NumberFormatException e) {
            throw new IOException("no chunk size: " + line, e);
        }
    }

    /** Copies so many bytes; fewer only if any number is fine. */
    private void copy(int count, ByteArrayOutputStream to) throws IOException {
        byte[] some = new byte[Math.min(count, 4096)];
        for (int left = count; left > 0; ) {
            awaitNoLongerThanThat();
            int read = in.read(some, 0, Math.min(left, some.length));
            if (read < 0) {
                if (count == Integer.MAX_VALUE) {
                    return;
                }
                throw new IOException("ended");
            }
            to.write(some, 0, read);
            left -= read;
            pause();
        }
    }

    private void pause() throws IOException {
        if (readPauseMillis > 0) {
            try {
                Thread.sleep(readPauseMillis);
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    private void awaitNoLongerThanThat() throws IOException {
        long left = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
        if (left <= 0) {
            throw new SocketTimeoutException("it takes too long");
        }
        socket.setSoTimeout((int) left);
    }

    private String line(String mark) throws IOException {
        StringBuilder seen = new StringBuilder();
        int last = mark.charAt(mark.length() - 1);
        while (seen.length() < LONGEST_HEAD) {
            awaitNoLongerThanThat();
            int next = in.read();
            if (next < 0) {
                throw new IOException("ended");
            }
            seen.append((char) next);
            if (next == last
                    && seen.length() >= mark.length()
                    && seen.indexOf(mark, seen.length() - mark.length()) >= 0) {
                return seen.toString();
            }
        }
        throw new IOException("too long");
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
