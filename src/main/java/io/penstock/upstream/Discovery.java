package io.penstock.upstream;

import io.netty.util.NetUtil;
import io.penstock.config.Endpoint;
import io.penstock.config.Replica;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns the replicas of the configuration into replicas with addresses.
 *
 * <p>It never asks the name service itself: someone asks for {@link #names} where blocking is allowed and hands the
 * outcome back through {@link #answered} or {@link #failed}. So it never blocks, and a name service that hangs cannot
 * hold it up. A name keeps the addresses of its last good answer. Confined to one thread at a time.
 */
public final class Discovery {

    private static final Logger LOG = LoggerFactory.getLogger(Discovery.class);

    /** IPv4 before IPv6, each in numerical order. */
    private static final Comparator<String> NUMERICAL = Comparator.comparing(
            Discovery::bytesOf,
            Comparator.<byte[]>comparingInt(bytes -> bytes.length).thenComparing(Arrays::compareUnsigned));

    /** Finds the addresses of a host name. */
    @FunctionalInterface
    public interface Resolver {

        /**
         * Looks a name up. May block, so it is called on a worker thread.
         *
         * @param host a host name, never an IP literal
         * @return IP literals, in the order of preference; empty if there are none
         * @throws UnknownHostException if the name does not resolve, or nobody could be asked
         */
        List<String> addresses(String host) throws UnknownHostException;
    }

    // The last good answer for each name, those that were kept first.
    private final Map<String, List<String>> answers = new HashMap<>();
    private final Set<String> failing = new HashSet<>();
    // Which address of a replica answered last, by the replica's id.
    private final Map<String, String> preferred = new HashMap<>();
    // The number of each living address of a name, by name and id.
    private final Map<String, Integer> numbers = new HashMap<>();
    // Said once, and again only if they went away meanwhile.
    private Set<String> warnings = Set.of();

    /**
     * The resolver of the operating system, by way of the JDK: {@code /etc/hosts} and search domains work.
     *
     * <p>The JDK caches answers by the security properties {@code networkaddress.cache.ttl} (30 s unless set) and
     * {@code networkaddress.cache.negative.ttl} (10 s); whoever starts the process sets them to 1 and 0, before the
     * first look-up, so that a container that came back with another address is found.
     *
     * @return a resolver that blocks
     */
    public static Resolver system() {
        return host -> {
            InetAddress[] found = InetAddress.getAllByName(host);
            List<String> literals = new ArrayList<>(found.length);
            for (InetAddress address : found) {
                literals.add(NetUtil.toAddressString(address));
            }
            return literals;
        };
    }

    /**
     * The names that need looking up. What was known about others is forgotten.
     *
     * @param replicas the configuration
     * @return host names without IP literals, in order
     */
    public Set<String> names(List<Replica> replicas) {
        Set<String> names = new LinkedHashSet<>();
        for (Replica replica : replicas) {
            String host = replica.endpoint().host();
            if (literal(host) == null) {
                names.add(host);
            }
        }
        answers.keySet().retainAll(names);
        failing.retainAll(names);
        return names;
    }

    /**
     * Notes the addresses of a name. An empty answer is a failed one.
     *
     * @param host the name
     * @param addresses IP literals
     */
    public void answered(String host, List<String> addresses) {
        if (addresses.isEmpty()) {
            failed(host, "it has no addresses");
            return;
        }
        if (failing.remove(host)) {
            LOG.info("name {} resolves again: {}", host, addresses);
        }
        // Name services rotate their answers. Keeping the old order keeps that from looking like a change.
        Set<String> next = new LinkedHashSet<>(answers.getOrDefault(host, List.of()));
        next.retainAll(addresses);
        next.addAll(addresses);
        answers.put(host, List.copyOf(next));
    }

    /**
     * Notes that a name could not be looked up; it keeps the addresses it had.
     *
     * @param host the name
     * @param reason why, in one phrase for people
     */
    public void failed(String host, String reason) {
        if (failing.add(host)) {
            List<String> kept = answers.get(host);
            LOG.warn(
                    "name {} does not resolve: {}; {}",
                    host,
                    reason,
                    kept == null ? "nothing is routed there until it does" : "keeping " + kept);
        }
    }

    /**
     * Puts the address at which a replica answered before its others.
     *
     * @param id the replica
     * @param address the IP literal
     */
    public void prefer(String id, String address) {
        preferred.put(id, address);
    }

    /**
     * The replicas with the addresses known so far. A name that never resolved makes a replica without addresses, or
     * none where each address would be one.
     *
     * @param replicas the configuration
     * @return replicas with unique ids, in the order of the configuration
     */
    public List<Upstream> upstreams(List<Replica> replicas) {
        Set<String> noticed = new LinkedHashSet<>();
        Map<String, Upstream> found = new LinkedHashMap<>();
        Set<String> takenNames = takenNames(replicas);
        for (Replica replica : replicas) {
            for (Upstream upstream :
                    replica.everyAddress() ? each(replica, takenNames) : List.of(single(replica, noticed))) {
                if (found.putIfAbsent(upstream.id(), upstream) != null) {
                    noticed.add("replica " + upstream.id() + " is there twice, by its own entry or another name of"
                            + " its address: the first one counts");
                }
            }
        }
        preferred.keySet().retainAll(found.keySet());
        noticeShared(found.values(), noticed);
        warn(noticed);
        return List.copyOf(found.values());
    }

    private void warn(Set<String> noticed) {
        for (String warning : noticed) {
            if (!warnings.contains(warning)) {
                LOG.warn("{}", warning);
            }
        }
        warnings = noticed;
    }

    private Upstream single(Replica replica, Set<String> noticed) {
        String host = replica.endpoint().host();
        List<String> addresses = addressesOf(host);
        // One of each family is an ordinary host with two stacks.
        long families =
                addresses.stream().map(a -> a.indexOf(':') >= 0).distinct().count();
        if (addresses.size() > families) {
            noticed.add("replica " + replica.name() + ": " + host + " has " + addresses.size() + " addresses, taken for"
                    + " alternatives of one replica; write {dns: " + host + ", port: "
                    + replica.endpoint().port() + "} to make each a replica");
        }
        String first = preferred.get(replica.name());
        if (first != null && addresses.contains(first)) {
            List<String> ordered = new ArrayList<>(addresses);
            ordered.remove(first);
            ordered.add(0, first);
            addresses = ordered;
        }
        return new Upstream(replica.name(), replica.name(), replica, addresses);
    }

    private List<Upstream> each(Replica replica, Set<String> takenNames) {
        String host = replica.endpoint().host();
        List<String> addresses = new ArrayList<>(addressesOf(host));
        // Numbered in numerical order, so that several Penstocks that start together agree.
        addresses.sort(NUMERICAL);
        TreeMap<Integer, Upstream> byNumber = new TreeMap<>();
        for (String address : addresses) {
            String id = place(address, replica);
            int number = numbers.computeIfAbsent(host + " " + id, key -> lowestFree(host, takenNames));
            takenNames.add(host + "-" + number);
            byNumber.put(number, new Upstream(id, host + "-" + number, replica, List.of(address)));
        }
        return List.copyOf(byNumber.values());
    }

    private static int lowestFree(String host, Set<String> takenNames) {
        int number = 1;
        while (takenNames.contains(host + "-" + number)) {
            number++;
        }
        return number;
    }

    /** The names that are taken before any new number is given: the configured ones and those of living addresses. */
    private Set<String> takenNames(List<Replica> replicas) {
        Set<String> taken = new HashSet<>();
        Set<String> alive = new HashSet<>();
        for (Replica replica : replicas) {
            if (!replica.everyAddress()) {
                taken.add(replica.name());
                continue;
            }
            String host = replica.endpoint().host();
            for (String address : addressesOf(host)) {
                String key = host + " " + place(address, replica);
                Integer number = numbers.get(key);
                alive.add(key);
                if (number != null) {
                    taken.add(host + "-" + number);
                }
            }
        }
        numbers.keySet().retainAll(alive);
        return taken;
    }

    private List<String> addressesOf(String host) {
        String literal = literal(host);
        return literal == null ? answers.getOrDefault(host, List.of()) : List.of(literal);
    }

    private static void noticeShared(Iterable<Upstream> upstreams, Set<String> noticed) {
        Map<String, String> owners = new HashMap<>();
        for (Upstream upstream : upstreams) {
            for (String address : upstream.addresses()) {
                String place = place(address, upstream.replica());
                String owner = owners.putIfAbsent(place, upstream.name());
                if (owner != null) {
                    noticed.add("replicas " + owner + " and " + upstream.name() + " are both at " + place
                            + ": one server that gets the work of two");
                }
            }
        }
    }

    private static String place(String address, Replica replica) {
        return new Endpoint(address, replica.endpoint().port()).toString();
    }

    private static @Nullable String literal(String host) {
        if (NetUtil.isValidIpV4Address(host)) {
            return host;
        }
        if (NetUtil.isValidIpV6Address(host)) {
            // A zone has no bytes; everything else gets the one spelling of RFC 5952.
            return host.indexOf('%') >= 0 ? host : NetUtil.bytesToIpAddress(bytesOf(host));
        }
        return null;
    }

    private static byte[] bytesOf(String literal) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(literal);
        return bytes == null ? new byte[0] : bytes;
    }
}
