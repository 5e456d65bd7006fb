package io.penstock.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.faults.FaultCase.Phase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Every fault of the menu, at every moment, streamed or not, in every API; then the same before other balancers. */
@Tag("faults")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // Opened before the first test.
class SingleRequestFaultsTest {

    private Path folder;

    private Replicas replicas;
    private Crowd crowd;
    private CellRun cells;
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeAll
    void open(@TempDir Path fresh) throws Exception {
        folder = fresh;
        replicas = Replicas.start(folder, 2, 5, 2);
        crowd = new Crowd(new Truth(replicas.sim(0).port()));
        cells = new CellRun(replicas, crowd);
    }

    @AfterAll
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        crowd.close();
        replicas.close();
        FaultTable.publish();
    }

    @TestFactory
    Stream<DynamicTest> penstockKeepsItsPromises() throws Exception {
        Balancer penstock = keep(Contender.PENSTOCK.start(folder, replicas.wirePorts(), true));
        return FaultCase.all().stream().flatMap(fault -> cells(fault, penstock, ""));
    }

    @TestFactory
    Stream<DynamicTest> penstockKeepsThemAlsoWhenAHeartbeatHasSentTheHead() throws Exception {
        Balancer penstock =
                keep(PenstockBalancer.start(folder, replicas.wirePorts(), "heartbeat: {after: 0, every: 100ms}\n"));
        return FaultCase.all().stream()
                .filter(fault -> fault.phase().isBeforeOutput() && fault.streamed() != null && !fault.silence())
                .flatMap(fault -> Stream.of(Api.values())
                        .filter(api -> fault.concerns(api, true))
                        .map(api -> cell(fault, penstock, api, true, ", under a heartbeat")));
    }

    @TestFactory
    Stream<DynamicTest> othersGoThroughTheSameRows() {
        return Comparison.others()
                .map(other -> DynamicTest.dynamicTest(other.label(), () -> {
                    try (Balancer balancer = other.start(folder, replicas.wirePorts(), true)) {
                        for (FaultCase fault : FaultCase.all()) {
                            for (Api api : Api.values()) {
                                for (boolean stream : new boolean[] {true, false}) {
                                    if (fault.concerns(api, stream)) {
                                        FaultTable.add(cells.run(balancer, fault, api, stream, ""));
                                    }
                                }
                            }
                        }
                    }
                }));
    }

    private Stream<DynamicTest> cells(FaultCase fault, Balancer balancer, String remark) {
        return Stream.of(Api.values())
                .flatMap(api -> Stream.of(true, false)
                        .filter(stream -> fault.concerns(api, stream))
                        .map(stream -> cell(fault, balancer, api, stream, remark)));
    }

    private DynamicTest cell(FaultCase fault, Balancer balancer, Api api, boolean stream, String remark) {
        String name = fault.name() + " " + fault.phase().label + remark + (stream ? ", stream, " : ", whole, ") + api;
        return DynamicTest.dynamicTest(name, () -> {
            Row row = cells.run(balancer, fault, api, stream, remark);
            FaultTable.add(row);
            assertThat(row.broken()).as(name).isEmpty();
            if (!fault.silence() && (fault.phase().isBeforeOutput() || fault.phase() == Phase.NEVER)) {
                assertThat(row.complete()).as(name).isEqualTo(row.requests());
            }
        });
    }

    private Balancer keep(Balancer balancer) {
        opened.add(balancer);
        return balancer;
    }
}
