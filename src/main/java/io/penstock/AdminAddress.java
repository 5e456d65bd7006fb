package io.penstock;

import io.penstock.config.Endpoint;
import picocli.CommandLine.Option;

/** The option by which every command finds the running Penstock. Written by picocli before the command runs. */
final class AdminAddress {

    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:8090",
            converter = EndpointArgument.class,
            description = "Where the running Penstock's admin port is (default: ${DEFAULT-VALUE}).")
    private Endpoint endpoint = new Endpoint("127.0.0.1", 8090);

    /** A client for that port, with the admin key that the environment holds, if it holds one. */
    AdminClient client() {
        return new AdminClient(endpoint, System.getenv("PENSTOCK_ADMIN_KEY"));
    }
}
