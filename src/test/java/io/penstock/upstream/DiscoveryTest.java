package io.penstock.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.penstock.config.Endpoint;
import io.penstock.config.Replica;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

class DiscoveryTest {

    private final Discovery discovery = new Discovery();
    private final Logger logger = (Logger) LoggerFactory.getLogger(Discovery.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(log);
    }

    @Test
    void aPlainReplicaKeepsItsNameAndGetsItsAddresses() {
        List<Replica> replicas = List.of(plain("vllm0"), plain("vllm1"));

        assertThat(discovery.names(replicas)).containsExactly("vllm0", "vllm1");
        discovery.answered("vllm1", List.of("10.0.0.8"));
        discovery.answered("vllm0", List.of("10.0.0.7", "fd00::7"));

        assertThat(discovery.upstreams(replicas))
                .containsExactly(
                        new Upstream("vllm0:8000", "vllm0:8000", replicas.get(0), List.of("10.0.0.7", "fd00::7")),
                        new Upstream("vllm1:8000", "vllm1:8000", replicas.get(1), List.of("10.0.0.8")));
        assertThat(lines(Level.INFO)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 127.0.0.1", "::1, ::1", "FD00:0:0:0:0:0:0:7, fd00::7", "fe80::1%eth0, fe80::1%eth0"})
    void aLiteralIsItsOwnAddress(String host, String address) {
        List<Replica> replicas = List.of(plain(host));

        assertThat(discovery.names(replicas)).isEmpty();
        assertThat(discovery.upstreams(replicas).get(0).addresses()).containsExactly(address);
    }

    @Test
    void everyAddressOfANameIsAReplica() {
        List<Replica> replicas = List.of(every("vllm"));
        discovery.answered("vllm", List.of("10.0.0.10", "fd00::1", "10.0.0.9"));

        assertThat(discovery.upstreams(replicas))
                .containsExactly(
                        new Upstream("10.0.0.9:8000", "vllm-1", replicas.get(0), List.of("10.0.0.9")),
                        new Upstream("10.0.0.10:8000", "vllm-2", replicas.get(0), List.of("10.0.0.10")),
                        new Upstream("[fd00::1]:8000", "vllm-3", replicas.get(0), List.of("fd00::1")));
    }

    @Test
    void aNumberStaysWithItsAddressAndAFreeOneIsGivenAgain() {
        List<Replica> replicas = List.of(every("vllm"));
        discovery.answered("vllm", List.of("10.0.0.1", "10.0.0.2", "10.0.0.3"));
        assertThat(shown(replicas)).containsExactly("vllm-1=10.0.0.1", "vllm-2=10.0.0.2", "vllm-3=10.0.0.3");

        discovery.answered("vllm", List.of("10.0.0.3", "10.0.0.1"));
        assertThat(shown(replicas)).containsExactly("vllm-1=10.0.0.1", "vllm-3=10.0.0.3");

        discovery.answered("vllm", List.of("10.0.0.0", "10.0.0.3", "10.0.0.1", "10.0.0.9"));
        assertThat(shown(replicas))
                .containsExactly("vllm-1=10.0.0.1", "vllm-2=10.0.0.0", "vllm-3=10.0.0.3", "vllm-4=10.0.0.9");
    }

    @Test
    void numbersAvoidNamesThatAreTaken() {
        Replica namedAlike = new Replica("vllm-1", new Endpoint("10.0.0.5", 8000), false, false, 1, 0, Set.of(), null);
        Replica otherPort = new Replica("vllm", new Endpoint("vllm", 9000), false, true, 1, 0, Set.of(), null);
        discovery.answered("vllm", List.of("10.0.0.1"));

        assertThat(discovery.upstreams(List.of(every("vllm"), namedAlike, otherPort)))
                .extracting(u -> u.name() + "=" + u.id())
                .containsExactly("vllm-2=10.0.0.1:8000", "vllm-1=vllm-1", "vllm-3=10.0.0.1:9000");
    }

    @Test
    void aNameThatNeverResolvedIsAReplicaWithoutAddressesOrNone() {
        discovery.failed("gone", "unknown host");
        discovery.failed("all-gone", "unknown host");

        List<Upstream> upstreams = discovery.upstreams(List.of(plain("gone"), every("all-gone")));

        assertThat(upstreams).extracting(Upstream::id).containsExactly("gone:8000");
        assertThat(upstreams.get(0).addresses()).isEmpty();
    }

    @Test
    void aFailedOrEmptyAnswerKeepsTheLastSet() {
        List<Replica> replicas = List.of(every("vllm"), plain("other"));
        discovery.answered("vllm", List.of("10.0.0.1"));
        discovery.answered("other", List.of("10.0.0.2"));
        List<Upstream> before = discovery.upstreams(replicas);

        discovery.failed("vllm", "no answer");
        discovery.answered("other", List.of());

        assertThat(discovery.upstreams(replicas)).isEqualTo(before);
    }

    @Test
    void failingAndResolvingAgainAreSaidOnceEach() {
        discovery.failed("new", "unknown host");
        discovery.failed("new", "unknown host");
        discovery.answered("vllm", List.of("10.0.0.1"));
        discovery.failed("vllm", "no answer");
        discovery.failed("vllm", "no answer");
        discovery.answered("vllm", List.of());
        discovery.answered("vllm", List.of("10.0.0.1"));
        discovery.answered("vllm", List.of("10.0.0.1"));
        discovery.failed("vllm", "no answer");

        assertThat(lines(Level.INFO))
                .containsExactly(
                        "WARN name new does not resolve: unknown host; nothing is routed there until it does",
                        "WARN name vllm does not resolve: no answer; keeping [10.0.0.1]",
                        "INFO name vllm resolves again: [10.0.0.1]",
                        "WARN name vllm does not resolve: no answer; keeping [10.0.0.1]");
    }

    @Test
    void aRotatedAnswerIsNoChange() {
        List<Replica> replicas = List.of(plain("vllm"));
        discovery.answered("vllm", List.of("10.0.0.1", "10.0.0.2", "10.0.0.3"));
        List<Upstream> before = discovery.upstreams(replicas);

        discovery.answered("vllm", List.of("10.0.0.3", "10.0.0.1", "10.0.0.2"));
        assertThat(discovery.upstreams(replicas)).isEqualTo(before);

        discovery.answered("vllm", List.of("10.0.0.4", "10.0.0.3", "10.0.0.2"));
        assertThat(discovery.upstreams(replicas).get(0).addresses())
                .containsExactly("10.0.0.2", "10.0.0.3", "10.0.0.4");
    }

    @Test
    void theAddressThatAnsweredLastComesFirstAsLongAsItIsThere() {
        List<Replica> replicas = List.of(plain("vllm"));
        discovery.answered("vllm", List.of("10.0.0.1", "10.0.0.2"));
        discovery.prefer("vllm:8000", "10.0.0.2");

        assertThat(discovery.upstreams(replicas).get(0).addresses()).containsExactly("10.0.0.2", "10.0.0.1");

        discovery.answered("vllm", List.of("10.0.0.1", "10.0.0.3"));
        assertThat(discovery.upstreams(replicas).get(0).addresses()).containsExactly("10.0.0.1", "10.0.0.3");
    }

    @Test
    void severalAddressesOfOneReplicaAreWarnedOfOnce() {
        List<Replica> replicas = List.of(plain("vllm"));
        discovery.answered("vllm", List.of("10.0.0.1", "10.0.0.2"));
        discovery.upstreams(replicas);
        discovery.upstreams(replicas);

        assertThat(lines(Level.WARN))
                .singleElement()
                .asString()
                .contains("replica vllm:8000", "2 addresses", "{dns: vllm, port: 8000}");

        discovery.answered("vllm", List.of("10.0.0.1"));
        discovery.upstreams(replicas);
        discovery.answered("vllm", List.of("10.0.0.1", "10.0.0.2"));
        discovery.upstreams(replicas);
        assertThat(lines(Level.WARN)).hasSize(2);
    }

    @Test
    void twoReplicasAtOnePlaceAreWarnedOf() {
        List<Replica> replicas = List.of(plain("a"), plain("b"), plain("10.0.0.2"));
        discovery.answered("a", List.of("10.0.0.1"));
        discovery.answered("b", List.of("10.0.0.1"));

        assertThat(discovery.upstreams(replicas)).hasSize(3);
        assertThat(lines(Level.WARN))
                .singleElement()
                .asString()
                .contains("a:8000 and b:8000 are both at 10.0.0.1:8000");
    }

    @Test
    void anAddressOfTwoNamesIsOneReplica() {
        List<Replica> replicas = List.of(every("vllm"), every("alias"), plain("10.0.0.1"));
        discovery.answered("vllm", List.of("10.0.0.1"));
        discovery.answered("alias", List.of("10.0.0.1"));

        assertThat(shown(replicas)).containsExactly("vllm-1=10.0.0.1");
        assertThat(lines(Level.WARN)).singleElement().asString().contains("10.0.0.1:8000 is there twice");
    }

    @Test
    void aNameThatLeftTheConfigurationIsForgotten() {
        List<Replica> replicas = List.of(plain("vllm"));
        discovery.answered("vllm", List.of("10.0.0.1"));

        discovery.names(List.of(plain("other")));
        discovery.names(replicas);

        assertThat(discovery.upstreams(replicas).get(0).addresses()).isEmpty();
    }

    @Test
    void theSystemResolverKnowsThisHostAndNoInventedOne() throws UnknownHostException {
        assertThat(Discovery.system().addresses("localhost")).contains("127.0.0.1");
        assertThatThrownBy(() -> Discovery.system().addresses("no-such-host.invalid"))
                .isInstanceOf(UnknownHostException.class);
    }

    private List<String> shown(List<Replica> replicas) {
        List<String> shown = new ArrayList<>();
        for (Upstream upstream : discovery.upstreams(replicas)) {
            shown.add(upstream.name() + "=" + upstream.addresses().get(0));
        }
        return shown;
    }

    private List<String> lines(Level least) {
        return log.list.stream()
                .filter(event -> event.getLevel().isGreaterOrEqual(least))
                .map(event -> event.getLevel() + " " + event.getFormattedMessage())
                .toList();
    }

    private static Replica plain(String host) {
        Endpoint endpoint = new Endpoint(host, 8000);
        return new Replica(endpoint.toString(), endpoint, false, false, 1, 0, Set.of(), null);
    }

    private static Replica every(String host) {
        return new Replica(host, new Endpoint(host, 8000), false, true, 1, 0, Set.of(), null);
    }
}
