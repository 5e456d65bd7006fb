package io.penstock.bench;

import io.penstock.config.Endpoint;
import java.util.List;

/**
 * Which replicas a {@link Match} is about.
 *
 * @param running those that are there already; if empty, the cell's own are simulated
 * @param firstPort the first simulated one's port; the others follow; 0 for free ones
 */
public record Backends(List<Endpoint> running, int firstPort) {}
