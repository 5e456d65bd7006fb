/** What is told to the outside: metrics and the access log. */
@NullMarked
package io.penstock.metrics;

import org.jspecify.annotations.NullMarked;
