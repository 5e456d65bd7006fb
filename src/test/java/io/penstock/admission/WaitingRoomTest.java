package io.penstock.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.config.PenstockConfig.Policy;
import io.penstock.selection.RequestTraits;
import io.penstock.upstream.Fleet;
import io.penstock.upstream.Lease;
import io.penstock.upstream.LiveUpstreams;
import io.penstock.upstream.Outcome;
import io.penstock.upstream.Standing;
import io.penstock.upstream.Upstream;
import io.penstock.upstream.UpstreamState;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WaitingRoomTest {

    private static final int ROOM_FOR = 100;

    /** Whoever was granted a place, in order, with the place. */
    private final List<String> served = new ArrayList<>();

    private final List<Lease> leases = new ArrayList<>();

    @Nested
    class WhereOneReplicaTakesOneRequest {

        private final LiveUpstreams live = Fleet.live(Fleet.upstream("a", 1, 1));
        private final UpstreamState a = live.current().members().get(0);
        private final WaitingRoom room = room(live, ROOM_FOR);

        @Test
        void aFreePlaceIsTakenAtOnce() {
            Lease lease = room.lease(asking("m"), Tried.NOBODY);

            assertThat(lease).isNotNull();
            assertThat(a.inFlight()).isEqualTo(1);
            assertThat(room.lease(asking("m"), Tried.NOBODY)).isNull();
        }

        @Test
        void aLeaseCarriesTheTimeItWasTaken() {
            WaitingRoom later = new WaitingRoom(live, config(Policy.LEAST_IN_FLIGHT, 1), () -> 4711);

            assertThat(Objects.requireNonNull(later.lease(RequestTraits.NONE, Tried.NOBODY))
                            .startNanos())
                    .isEqualTo(4711);
        }

        @Test
        void whoWaitsIsServedInOrder() {
            Lease first = Fleet.lease(a);
            enter(room, "m", "1");
            enter(room, "m", "2");
            enter(room, "m", "3");
            assertThat(room.waiting()).isEqualTo(3);
            assertThat(served).isEmpty();

            end(room, first);
            assertThat(served).containsExactly("1");
            endLatest();
            endLatest();

            assertThat(served).containsExactly("1", "2", "3");
            assertThat(room.waiting()).isZero();
            endLatest();
            assertThat(a.inFlight()).isZero();
        }

        @Test
        void anEndedLeaseWakesTheNextByItself() {
            Lease first = Objects.requireNonNull(room.lease(asking("m"), Tried.NOBODY));
            enter(room, "m", "1");

            first.end(Outcome.FAILED);

            assertThat(served).containsExactly("1");
        }

        @Test
        void theFrontGoesBeforeTheBack() {
            Lease first = Fleet.lease(a);
            enter(room, "m", "back 1");
            enter(room, "m", "back 2");
            enter(room, "m", "front", true, Tried.NOBODY);

            end(room, first);
            endLatest();
            endLatest();

            assertThat(served).containsExactly("front", "back 1", "back 2");
        }

        /** A replica dies, and all it had fails over at once: the one that has waited longest is told first. */
        @Test
        void thoseInFrontKeepTheirOrder() {
            Lease first = Fleet.lease(a);
            enter(room, "m", "back");
            enter(room, "m", "front 1", true, Tried.NOBODY);
            enter(room, "m", "front 2", true, Tried.NOBODY);

            end(room, first);
            endLatest();
            endLatest();

            assertThat(served).containsExactly("front 1", "front 2", "back");
        }

        @Test
        void nobodyPassesWhoeverWaits() {
            a.judge(Standing.REFUSED, "down");
            enter(room, "m", "waiting");
            a.judge(Standing.READY, "up, but the news is still on its way");

            assertThat(room.lease(asking("m"), Tried.NOBODY)).isNull();
            room.wake();
            assertThat(served).containsExactly("waiting");
        }

        @Test
        void aPlaceThatBecameFreeBeforeTheQueueWasJoinedIsNotMissed() {
            enter(room, "m", "1");

            assertThat(served).containsExactly("1");
            assertThat(room.waiting()).isZero();
        }

        /** Two models that one replica serves: neither may starve the other, whatever they are called. */
        @Test
        void modelsThatShareAReplicaAreServedInOneOrder() {
            Lease first = Fleet.lease(a);
            for (int i = 0; i < 20; i++) {
                enter(room, "model " + i % 5, "" + i);
            }

            end(room, first);
            while (served.size() < 20) {
                endLatest();
            }

            List<String> order = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                order.add("" + i);
            }
            assertThat(served).isEqualTo(order);
        }

        @Test
        void aFullRoomTakesNobodyButThoseWhoHaveWaitedAlready() {
            WaitingRoom small = room(live, 2);
            Fleet.lease(a);
            enter(small, "m", "1");
            enter(small, "other", "2");

            assertThat(enter(small, "m", "3")).isNull();
            assertThat(enter(small, "m", "front", true, Tried.NOBODY)).isNotNull();
            assertThat(small.waiting()).isEqualTo(3);
            assertThat(served).isEmpty();
        }

        @Test
        void aRoomForNobodyStillServesWhereThereIsAPlace() {
            WaitingRoom none = room(live, 0);

            assertThat(none.lease(asking("m"), Tried.NOBODY)).isNotNull();
            assertThat(enter(none, "m", "1")).isNull();
        }

        @Test
        void aRoomMadeLargerByAReloadTakesMore() {
            WaitingRoom small = room(live, 0);
            Fleet.lease(a);
            assertThat(enter(small, "m", "1")).isNull();

            small.reconfigure(config(Policy.ROUND_ROBIN, 1));

            assertThat(enter(small, "m", "1")).isNotNull();
        }

        @Test
        void whoLeavesTheQueueIsNotServed() {
            Lease first = Fleet.lease(a);
            Ticket leaver = Objects.requireNonNull(enter(room, "m", "leaver"));
            enter(room, "m", "stayer");

            leaver.cancel();
            leaver.cancel();
            assertThat(room.waiting()).isEqualTo(1);
            end(room, first);

            assertThat(served).containsExactly("stayer");
        }

        @Test
        void theLastToLeaveOpensTheFastPathAgain() {
            Lease first = Fleet.lease(a);
            Objects.requireNonNull(enter(room, "m", "leaver")).cancel();
            first.end(Outcome.COMPLETED);

            assertThat(room.lease(asking("m"), Tried.NOBODY)).isNotNull();
        }

        @Test
        void whoLeavesAfterTheGrantIsHandedTheLeaseAllTheSame() {
            Deque<Runnable> mailbox = new ArrayDeque<>();
            Ticket ticket =
                    Objects.requireNonNull(room.await(asking("m"), Tried.NOBODY, false, mailbox::add, serving("late")));
            assertThat(served).isEmpty();

            ticket.cancel();
            assertThat(a.inFlight()).isEqualTo(1);
            mailbox.remove().run();

            assertThat(served).containsExactly("late");
            assertThat(room.waiting()).isZero();
        }

        @Test
        void theHandlerRunsWhereItWasAskedToRun() {
            List<String> where = new ArrayList<>();
            room.await(
                    asking("m"),
                    Tried.NOBODY,
                    false,
                    task -> {
                        where.add("executor");
                        task.run();
                    },
                    lease -> where.add("handler"));

            assertThat(where).containsExactly("executor", "handler");
        }

        @Test
        void aReplicaThatComesBackServesThoseWhoWaited() {
            a.judge(Standing.REFUSED, "down");
            enter(room, "m", "1");
            assertThat(served).isEmpty();

            a.judge(Standing.READY, "up");
            room.wake();

            assertThat(served).containsExactly("1");
        }

        @Test
        void aLargerLimitAfterAReloadServesThoseWhoWaited() {
            Fleet.lease(a);
            enter(room, "m", "1");
            enter(room, "m", "2");

            live.apply(List.of(Fleet.upstream("a", 1, 2)));
            room.reconfigure(config(Policy.LEAST_IN_FLIGHT, ROOM_FOR));

            assertThat(served).containsExactly("1");
            assertThat(a.inFlight()).isEqualTo(2);
        }

        @Test
        void wakingAnEmptyRoomDoesNothing() {
            room.wake();

            assertThat(a.started()).isZero();
        }
    }

    @Nested
    class WhereThereAreTwoReplicas {

        private final LiveUpstreams live =
                Fleet.live(Fleet.upstream("a", 1, 1, "llama"), Fleet.upstream("b", 1, 1, "llama", "qwen"));
        private final UpstreamState a = live.current().members().get(0);
        private final UpstreamState b = live.current().members().get(1);
        private final WaitingRoom room = room(live, ROOM_FOR);

        @Test
        void aFullReplicaIsPassedOver() {
            Fleet.lease(a);

            assertThat(Objects.requireNonNull(room.lease(asking("llama"), Tried.NOBODY))
                            .upstream())
                    .isSameAs(b);
            assertThat(room.lease(asking("llama"), Tried.NOBODY)).isNull();
        }

        @Test
        void aQueueForOneModelDoesNotBlockAnother() {
            Fleet.lease(b);
            enter(room, "qwen", "qwen 1");
            assertThat(served).isEmpty();

            enter(room, "llama", "llama 1");

            assertThat(served).containsExactly("llama 1");
            assertThat(room.waiting()).isEqualTo(1);
        }

        @ParameterizedTest
        @EnumSource(
                value = Policy.class,
                names = {"LEAST_IN_FLIGHT", "PREDICTED_DELAY"})
        void aRoomFullOfThoseWhoWaitForOneModelTurnsNobodyElseAway(Policy policy) {
            WaitingRoom little = new WaitingRoom(live, config(policy, 1), () -> 0);
            b.judge(Standing.REFUSED, "down");
            enter(little, "qwen", "waits");
            assertThat(enter(little, "qwen", "one too many")).isNull();

            assertThat(little.lease(asking("qwen"), Tried.NOBODY)).isNull();
            assertThat(Objects.requireNonNull(little.lease(asking("llama"), Tried.NOBODY))
                            .upstream())
                    .isSameAs(a);
            assertThat(served).isEmpty();
        }

        @Test
        void whoHasTriedTheOnlyFreeReplicaDoesNotBlockThoseBehind() {
            Lease onA = Fleet.lease(a);
            Lease onB = Fleet.lease(b);
            enter(room, "llama", "tried a", true, Tried.NOBODY.untilProbed(a));
            enter(room, "llama", "behind");

            end(room, onA);
            assertThat(served).containsExactly("behind");
            end(room, onB);

            assertThat(served).containsExactly("behind", "tried a");
            assertThat(leases.get(1).upstream()).isSameAs(b);
        }

        @Test
        void whoHasTriedEveryoneWaitsForAPassedProbe() {
            enter(room, "llama", "1", true, Tried.NOBODY.untilProbed(a).untilProbed(b));
            assertThat(served).isEmpty();

            a.probePassed();
            room.wake();

            assertThat(leases).hasSize(1);
            assertThat(leases.get(0).upstream()).isSameAs(a);
        }

        @Test
        void whoWaitsForAProbeDoesNotStandInTheWayOfARetry() {
            enter(room, "llama", "tried both", true, Tried.NOBODY.untilProbed(a).untilProbed(b));

            Lease retry = room.lease(asking("llama"), Tried.NOBODY.forGood(a));

            assertThat(Objects.requireNonNull(retry).upstream()).isSameAs(b);
            assertThat(room.lease(asking("llama"), Tried.NOBODY)).isNull();
        }

        @Test
        void oneWakeServesAsManyAsThereArePlaces() {
            a.judge(Standing.REFUSED, "down");
            b.judge(Standing.REFUSED, "down");
            enter(room, "llama", "1");
            enter(room, "llama", "2");
            enter(room, "llama", "3");
            a.judge(Standing.READY, "up");
            b.judge(Standing.READY, "up");

            room.wake();

            assertThat(served).containsExactly("1", "2");
            assertThat(room.waiting()).isEqualTo(1);
        }

        @Test
        void aRequestWithoutAModelHasAQueueOfItsOwn() {
            Fleet.lease(a);
            Lease onB = Fleet.lease(b);
            room.await(RequestTraits.NONE, Tried.NOBODY, false, Runnable::run, serving("any"));
            assertThat(room.waiting()).isEqualTo(1);

            end(room, onB);

            assertThat(served).containsExactly("any");
        }

        @Test
        void aChangeOfPolicyIsFollowed() {
            LiveUpstreams open = Fleet.live(Fleet.upstream("x"), Fleet.upstream("y"));
            WaitingRoom changing = room(open, ROOM_FOR);
            changing.reconfigure(config(Policy.ROUND_ROBIN, ROOM_FOR));

            StringBuilder order = new StringBuilder();
            for (int i = 0; i < 4; i++) {
                Lease lease = Objects.requireNonNull(changing.lease(RequestTraits.NONE, Tried.NOBODY));
                order.append(lease.upstream().name());
                if (lease.upstream().name().equals("x")) {
                    lease.end(Outcome.COMPLETED); // By load alone x would get them all.
                }
            }
            assertThat(order).hasToString("xyxy");
        }
    }

    private @Nullable Ticket enter(WaitingRoom room, String model, String who) {
        return enter(room, model, who, false, Tried.NOBODY);
    }

    private @Nullable Ticket enter(WaitingRoom room, String model, String who, boolean front, Tried tried) {
        return room.await(asking(model), tried, front, Runnable::run, serving(who));
    }

    private Consumer<Lease> serving(String who) {
        return lease -> {
            served.add(who);
            leases.add(lease);
        };
    }

    /** Ends a lease that was taken past the room, and says so. */
    private static void end(WaitingRoom room, Lease lease) {
        lease.end(Outcome.COMPLETED);
        room.wake();
    }

    private void endLatest() {
        leases.get(leases.size() - 1).end(Outcome.COMPLETED);
    }

    private static RequestTraits asking(String model) {
        return new RequestTraits(model, false, 0);
    }

    private static WaitingRoom room(LiveUpstreams live, int maxWaiting) {
        return new WaitingRoom(live, config(Policy.LEAST_IN_FLIGHT, maxWaiting), () -> 0);
    }

    static PenstockConfig config(Policy policy, int maxWaiting, Upstream... upstreams) {
        return config(policy, maxWaiting, Duration.ZERO, upstreams);
    }

    static PenstockConfig config(Policy policy, int maxWaiting, Duration interToken, Upstream... upstreams) {
        return new PenstockConfig(
                PenstockConfig.DEFAULT_LISTEN,
                PenstockConfig.Admin.DEFAULT,
                List.of(upstreams).stream().map(Upstream::replica).toList(),
                new PenstockConfig.Selection(policy),
                new PenstockConfig.Admission(maxWaiting, Duration.ofMinutes(1), interToken),
                PenstockConfig.Probe.DEFAULT,
                PenstockConfig.Progress.DEFAULT,
                PenstockConfig.Ejection.DEFAULT,
                PenstockConfig.Retry.DEFAULT,
                PenstockConfig.Heartbeat.DEFAULT,
                PenstockConfig.Timeouts.DEFAULT,
                PenstockConfig.Limits.DEFAULT,
                PenstockConfig.Drain.DEFAULT,
                PenstockConfig.Routes.DEFAULT,
                PenstockConfig.Trust.DEFAULT,
                PenstockConfig.Log.DEFAULT,
                PenstockConfig.Tracing.DEFAULT,
                PenstockConfig.Explain.DEFAULT);
    }
}
