package io.penstock.proxy;

import io.penstock.admission.BodyBudget;
import io.penstock.admission.WaitingRoom;
import io.penstock.upstream.LiveUpstreams;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What all proxy event loops have in common. Everything in it may be used from any thread.
 *
 * @param live the replicas
 * @param room where requests get one
 * @param bodies the memory for bodies
 * @param retries how many errors may be hidden by asking another replica
 * @param poison bodies that killed replicas a moment ago
 * @param observer told of everything
 * @param tracer follows requests in a tracing system
 * @param receipts why the newest requests went where they did
 * @param lifecycle how far Penstock is on its way down
 * @param nanoClock the time, in nanoseconds
 * @param requestIds makes an id for a request that brings none
 * @param seed chance of this process, which nobody is told: hashes of what clients send begin with it
 */
public record Shared(
        LiveUpstreams live,
        WaitingRoom room,
        BodyBudget bodies,
        RetryPolicy retries,
        PoisonBodies poison,
        ExchangeObserver observer,
        ExchangeTracer tracer,
        Receipts receipts,
        Lifecycle lifecycle,
        LongSupplier nanoClock,
        Supplier<String> requestIds,
        long seed) {}
