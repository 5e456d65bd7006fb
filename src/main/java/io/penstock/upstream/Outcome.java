package io.penstock.upstream;

/** How a request ended, as far as the replica is concerned. There are three outcomes, not two. */
public enum Outcome {
    /** The replica answered, whatever the answer: counts for its speed. */
    COMPLETED,
    /** The replica broke its promise: counts against it. */
    FAILED,
    /** The client left, or we moved the request: says nothing about the replica. */
    IGNORED
}
