package io.penstock.proxy;

import org.jspecify.annotations.Nullable;

/**
 * One try at one replica, looked back at.
 *
 * @param replica its display name
 * @param failure why it ended early, null if it did not
 * @param connectNanos from the lease to a connection, -1 if there was none
 * @param headNanos from the lease to the replica's response head, -1 if there was none
 * @param totalNanos from the lease to the attempt's end
 */
public record AttemptReport(
        String replica, @Nullable FailureKind failure, long connectNanos, long headNanos, long totalNanos) {}
