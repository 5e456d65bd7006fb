package io.penstock.faults;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Which other balancers a run compares with: all that are installed; those that {@code -Dpenstock.compare=nginx,haproxy}
 * names; none with {@code -Dpenstock.compare=none}.
 */
final class Comparison {

    private Comparison() {}

    static Stream<Contender> others() {
        List<String> wanted = List.of(System.getProperty("penstock.compare", "nginx,haproxy,vllm_router")
                .toUpperCase(Locale.ROOT)
                .split(","));
        return Stream.of(Contender.values())
                .filter(each -> each != Contender.PENSTOCK && wanted.contains(each.name()) && each.isInstalled());
    }
}
