package io.penstock;

import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Time and randomness, which only {@link Main} makes.
 *
 * @param nanoClock time for durations, in nanoseconds
 * @param epochMillis time for dates, in milliseconds since 1970
 * @param random from 0 to below 1
 * @param requestIds ids for requests that bring none
 */
record Chance(LongSupplier nanoClock, LongSupplier epochMillis, DoubleSupplier random, Supplier<String> requestIds) {}
