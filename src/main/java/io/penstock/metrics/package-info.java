/** What is told to the outside: metrics, the access log, traces. */
@NullMarked
package io.penstock.metrics;

import org.jspecify.annotations.NullMarked;
