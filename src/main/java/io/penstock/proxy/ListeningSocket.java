package io.penstock.proxy;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.unix.Buffer;
import io.netty.channel.unix.RawUnixChannelOption;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operating system's listening socket, which all event loops share. Vert.x only knows how to close it together with
 * its connections; whoever hands a port over to another process must do better. Callable from any thread.
 *
 * <p>When a socket that shares its port closes, Linux resets the connections that it has made there and nobody has
 * accepted yet (unless {@code net.ipv4.tcp_migrate_req} is set), handshakes under way included. So it is told first to
 * take no more: a classic BPF filter on the socket drops each SYN. Its sender repeats it after a second (RFC 6298, section
 * 2), and by then the socket is gone and the kernel gives the connection to the other process.
 */
final class ListeningSocket {

    private static final Logger LOG = LoggerFactory.getLogger(ListeningSocket.class);

    // From Linux' asm-generic/socket.h, linux/filter.h and linux/bpf_common.h; equal on x86-64 and AArch64.
    private static final int SOL_SOCKET = 1;
    private static final int SO_ATTACH_FILTER = 26;
    private static final int PROGRAM_BYTES = 16;
    private static final int INSTRUCTION_BYTES = 8;
    private static final short LOAD_BYTE = 0x30;
    private static final short AND = 0x54;
    private static final short JUMP_IF_EQUAL = 0x15;
    private static final short RETURN = 0x06;

    // From RFC 9293, section 3.1.
    private static final int FLAGS_OFFSET = 13;
    private static final int SYN = 0x02;
    private static final int ACK = 0x10;

    private static final RawUnixChannelOption ATTACH_FILTER =
            new RawUnixChannelOption("SO_ATTACH_FILTER", SOL_SOCKET, SO_ATTACH_FILTER, PROGRAM_BYTES);

    private final Channel channel;

    ListeningSocket(Channel channel) {
        this.channel = channel;
    }

    /**
     * Begins no new connection from now on. Those that have begun are made and accepted.
     *
     * @return false if this system cannot do that; then nothing has changed
     */
    boolean turnAway() {
        if (Buffer.addressSize() != Long.BYTES) {
            return false;
        }
        ByteBuffer instructions = dropSyn();
        ByteBuffer program = allocate(PROGRAM_BYTES);
        try {
            program.putShort(0, (short) (instructions.capacity() / INSTRUCTION_BYTES));
            program.putLong(Long.BYTES, Buffer.memoryAddress(instructions));
            // Java's own sockets do not know this option, and say so.
            return channel.config().setOption(ATTACH_FILTER, program);
        } catch (ChannelException e) {
            LOG.warn("cannot filter the listening socket: {}", String.valueOf(e.getCause()));
            return false;
        } finally {
            // The program points to them, which the collector does not see. The kernel makes a copy of its own.
            Reference.reachabilityFence(instructions);
        }
    }

    /** What a socket's filter reads begins with the TCP header; what it returns is how many bytes are let through. */
    private static ByteBuffer dropSyn() {
        ByteBuffer code = allocate(5 * INSTRUCTION_BYTES);
        instruction(code, LOAD_BYTE, 0, FLAGS_OFFSET);
        instruction(code, AND, 0, SYN | ACK);
        instruction(code, JUMP_IF_EQUAL, 1, SYN);
        instruction(code, RETURN, 0, 0);
        instruction(code, RETURN, 0, -1);
        return code;
    }

    private static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    private static void instruction(ByteBuffer code, short operation, int skipIfFalse, int operand) {
        code.putShort(operation).put((byte) 0).put((byte) skipIfFalse).putInt(operand);
    }

    /** Closes it. The connections that it has made stay. */
    void close() {
        channel.close().addListener(closed -> {});
    }
}
