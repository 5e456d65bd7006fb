package io.penstock.proxy;

import io.netty.util.NetUtil;
import java.util.ArrayList;
import java.util.List;

/** Addresses whose forwarding headers are believed: IP literals and CIDR blocks (RFC 4632). Immutable. */
final class TrustedProxies {

    private static final class Block {

        private final byte[] address;
        private final int bits;

        private Block(byte[] address, int bits) {
            this.address = address;
            this.bits = bits;
        }

        private boolean contains(byte[] other) {
            if (other.length != address.length) {
                return false;
            }
            for (int i = 0; i < bits; i++) {
                int shift = 7 - i % 8;
                if (((address[i / 8] ^ other[i / 8]) >> shift & 1) != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    private final List<Block> blocks = new ArrayList<>();

    /**
     * Reads the list.
     *
     * @param proxies literals and blocks that were validated with the configuration
     */
    TrustedProxies(List<String> proxies) {
        for (String each : proxies) {
            int slash = each.indexOf('/');
            byte[] address = NetUtil.createByteArrayFromIpAddressString(slash < 0 ? each : each.substring(0, slash));
            if (address != null) {
                int bits = slash < 0 ? address.length * 8 : Integer.parseInt(each.substring(slash + 1));
                blocks.add(new Block(address, Math.min(bits, address.length * 8)));
            }
        }
    }

    /**
     * Whether a peer is trusted.
     *
     * @param peer an IP literal
     * @return true if a block holds it
     */
    boolean contains(String peer) {
        if (blocks.isEmpty()) {
            return false;
        }
        byte[] address = NetUtil.createByteArrayFromIpAddressString(peer);
        if (address == null) {
            return false;
        }
        for (Block block : blocks) {
            if (block.contains(address)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The client behind the proxies that are trusted, each of which adds to the end of the list whom it heard it from.
     *
     * @param peer who is connected to us
     * @param forwardedFor the values of X-Forwarded-For, in order
     * @return the last address that is not a trusted proxy's; the first of all if they all are
     */
    String client(String peer, List<String> forwardedFor) {
        String client = peer;
        String rest = String.join(",", forwardedFor);
        while (contains(client) && !rest.isEmpty()) {
            int comma = rest.lastIndexOf(',');
            String before = rest.substring(comma + 1).strip();
            client = before.isEmpty() ? client : before;
            rest = rest.substring(0, Math.max(0, comma));
        }
        return client;
    }
}
