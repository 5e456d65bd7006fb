/**
 * The fault suite: Penstock as a process of its own, simulated replicas as processes of their own, everything that can
 * go wrong between them, and a client that knows what each answer must be.
 *
 * <p>It runs with {@code ./mvnw verify -Pfaults} and writes its table to {@code target/faults.md}. What judges the
 * answers ({@link io.penstock.faults.Judge}) is tested in every build.
 */
@NullMarked
package io.penstock.faults;

import org.jspecify.annotations.NullMarked;
