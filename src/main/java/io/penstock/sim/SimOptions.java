package io.penstock.sim;

import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How one simulated vLLM behaves. Start from {@link #standard} and change what matters with the {@code with} methods.
 *
 * @param name which replica this is; shown by {@code /sim/state} and hashed into every {@code system_fingerprint}
 * @param host the address to listen on; a name is resolved by the thread that calls {@link Simulator#start}
 * @param port the port to listen on; 0 takes a free one, which the simulator keeps for its whole life
 * @param model the only model it serves
 * @param firstToken from the request's arrival to its first token; without meaning if there is a profile
 * @param step between two tokens of one request; without meaning if there is a profile
 * @param profile the machine whose speed, batches and cache it has, or null for a fixed pace however much there is to do
 * @param speed how many times faster than its profile it is
 * @param promptTokensDetails whether answers tell how much of the prompt was cached, as vLLM's do with {@code
 *     --enable-prompt-tokens-details}
 * @param keepAlive how long an unused connection stays open after an answer; vLLM's uvicorn waits 5.0 s
 * @param maxModelLen the longest prompt plus answer, in tokens
 * @param seed decides ids and the faults that happen at a rate
 * @param apiKey the key that paths under {@code /v1}, {@code /v2} and {@code /inference} ask for, or null for none
 * @param embeddings whether {@code POST /v1/embeddings} exists (on a real generative model it does not)
 * @param rates the faults that hit a share of the requests from the start
 * @param nanoClock time for durations, in nanoseconds
 * @param wallClockMillis time for dates, in milliseconds since 1970
 */
public record SimOptions(
        String name,
        String host,
        int port,
        String model,
        Duration firstToken,
        Duration step,
        @Nullable EngineProfile profile,
        double speed,
        boolean promptTokensDetails,
        Duration keepAlive,
        int maxModelLen,
        long seed,
        @Nullable String apiKey,
        boolean embeddings,
        List<RatedFault> rates,
        LongSupplier nanoClock,
        LongSupplier wallClockMillis) {

    private static final double MAX_SPEED = 1_000;

    /** Refuses what no server can be. */
    public SimOptions {
        if (port < 0 || port > 65535 || maxModelLen < 1 || firstToken.isNegative() || step.isNegative()) {
            throw new IllegalArgumentException("not a simulator: port " + port + ", maxModelLen " + maxModelLen
                    + ", firstToken " + firstToken + ", step " + step);
        }
        if (!(speed > 0 && speed <= MAX_SPEED)) {
            throw new IllegalArgumentException("speed: want more than 0 and at most " + MAX_SPEED + ", got " + speed);
        }
        rates = List.copyOf(rates);
    }

    /**
     * A replica named {@code sim} that serves {@code demo} on a free port of the loopback interface: first token after
     * 50 ms, then one every 20 ms, no key, no faults.
     *
     * @param nanoClock time for durations, in nanoseconds
     * @param wallClockMillis time for dates, in milliseconds since 1970
     * @return the options
     */
    public static SimOptions standard(LongSupplier nanoClock, LongSupplier wallClockMillis) {
        return new SimOptions(
                "sim",
                "127.0.0.1",
                0,
                "demo",
                Duration.ofMillis(50),
                Duration.ofMillis(20),
                null,
                1,
                false,
                Duration.ofSeconds(5),
                2048,
                1,
                null,
                true,
                List.of(),
                nanoClock,
                wallClockMillis);
    }

    /**
     * The same replica under another name.
     *
     * @param value the name
     * @return the changed copy
     */
    public SimOptions withName(String value) {
        return copy(value, host, port, model, firstToken, step, keepAlive, seed, apiKey, embeddings, rates);
    }

    /**
     * The same replica elsewhere.
     *
     * @param address the address to listen on
     * @param number the port; 0 takes a free one
     * @return the changed copy
     */
    public SimOptions withAddress(String address, int number) {
        return copy(name, address, number, model, firstToken, step, keepAlive, seed, apiKey, embeddings, rates);
    }

    /**
     * The same replica with another model.
     *
     * @param value the model's name
     * @return the changed copy
     */
    public SimOptions withModel(String value) {
        return copy(name, host, port, value, firstToken, step, keepAlive, seed, apiKey, embeddings, rates);
    }

    /**
     * The same replica at another speed.
     *
     * @param first from the request's arrival to its first token
     * @param each between two tokens
     * @return the changed copy
     */
    public SimOptions withPace(Duration first, Duration each) {
        return copy(name, host, port, model, first, each, keepAlive, seed, apiKey, embeddings, rates);
    }

    /**
     * The same replica on a certain machine, in place of a fixed pace. Its longest context is the machine's.
     *
     * @param machine how fast it is and how much it holds
     * @param factor how many times faster than that it is, more than 0
     * @return the changed copy
     */
    public SimOptions withProfile(EngineProfile machine, double factor) {
        return copy(machine, factor, promptTokensDetails, machine.maxModelLen());
    }

    /**
     * The same replica with or without a count of cached tokens in its answers.
     *
     * @param value whether they tell
     * @return the changed copy
     */
    public SimOptions withPromptTokensDetails(boolean value) {
        return copy(profile, speed, value, maxModelLen);
    }

    /**
     * The same replica with other patience for unused connections.
     *
     * @param value how long one stays open after an answer
     * @return the changed copy
     */
    public SimOptions withKeepAlive(Duration value) {
        return copy(name, host, port, model, firstToken, step, value, seed, apiKey, embeddings, rates);
    }

    /**
     * The same replica with other dice.
     *
     * @param value the seed
     * @return the changed copy
     */
    public SimOptions withSeed(long value) {
        return copy(name, host, port, model, firstToken, step, keepAlive, value, apiKey, embeddings, rates);
    }

    /**
     * The same replica behind a key.
     *
     * @param value the key, or null for none
     * @return the changed copy
     */
    public SimOptions withApiKey(@Nullable String value) {
        return copy(name, host, port, model, firstToken, step, keepAlive, seed, value, embeddings, rates);
    }

    /**
     * The same replica with or without {@code POST /v1/embeddings}.
     *
     * @param value whether the route exists
     * @return the changed copy
     */
    public SimOptions withEmbeddings(boolean value) {
        return copy(name, host, port, model, firstToken, step, keepAlive, seed, apiKey, value, rates);
    }

    /**
     * The same replica with faults that happen by themselves.
     *
     * @param value the faults and how often each happens
     * @return the changed copy
     */
    public SimOptions withRates(List<RatedFault> value) {
        return copy(name, host, port, model, firstToken, step, keepAlive, seed, apiKey, embeddings, value);
    }

    private SimOptions copy(
            @Nullable EngineProfile newProfile, double newSpeed, boolean newDetails, int newMaxModelLen) {
        return new SimOptions(
                name,
                host,
                port,
                model,
                firstToken,
                step,
                newProfile,
                newSpeed,
                newDetails,
                keepAlive,
                newMaxModelLen,
                seed,
                apiKey,
                embeddings,
                rates,
                nanoClock,
                wallClockMillis);
    }

    private SimOptions copy(
            String newName,
            String newHost,
            int newPort,
            String newModel,
            Duration newFirstToken,
            Duration newStep,
            Duration newKeepAlive,
            long newSeed,
            @Nullable String newApiKey,
            boolean newEmbeddings,
            List<RatedFault> newRates) {
        return new SimOptions(
                newName,
                newHost,
                newPort,
                newModel,
                newFirstToken,
                newStep,
                profile,
                speed,
                promptTokensDetails,
                newKeepAlive,
                maxModelLen,
                newSeed,
                newApiKey,
                newEmbeddings,
                newRates,
                nanoClock,
                wallClockMillis);
    }
}
