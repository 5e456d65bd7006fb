/** A stand-in for vLLM that behaves like it on the wire, with faults on demand. */
@NullMarked
package io.penstock.sim;

import org.jspecify.annotations.NullMarked;
