package io.penstock.selection;

import io.penstock.config.PenstockConfig.Policy;

/** Which class answers to which name of the configuration. */
public final class SelectionPolicy {

    private SelectionPolicy() {}

    /**
     * Makes the selector of a policy.
     *
     * @param policy the name
     * @return a selector with no memory yet
     */
    public static Selector selector(Policy policy) {
        return switch (policy) {
            // Predictions need more than candidates, so admission makes them; this is for when there are none.
            case LEAST_IN_FLIGHT, PREDICTED_DELAY -> new LeastInFlight();
            case ROUND_ROBIN -> new RoundRobin();
        };
    }
}
