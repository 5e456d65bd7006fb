/** Penstock: the load balancer that understands vLLM. Commands, wiring and the way down. */
@NullMarked
package io.penstock;

import org.jspecify.annotations.NullMarked;
