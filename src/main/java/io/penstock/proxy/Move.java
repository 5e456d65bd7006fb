package io.penstock.proxy;

import io.penstock.proxy.Decision.Cause;
import org.jspecify.annotations.Nullable;

/**
 * A request that was given to one more replica than the first.
 *
 * @param requestId the id that the client and the replicas see
 * @param cause why; never {@link Cause#ARRIVAL}
 * @param from the display name of the replica before, which goes on beside the new one after a {@link Cause#HEDGE}
 * @param to the display name of the new one
 * @param failure what the one before did; null after a {@link Cause#HEDGE}
 */
public record Move(
        String requestId,
        Cause cause,
        String from,
        String to,
        @Nullable FailureKind failure) {}
