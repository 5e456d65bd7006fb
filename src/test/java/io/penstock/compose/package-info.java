/**
 * What only a real Docker engine can show: containers that come, go, fall silent and get other addresses. Run by
 * {@code ./mvnw verify -Pcompose}, and by nothing else.
 */
@NullMarked
package io.penstock.compose;

import org.jspecify.annotations.NullMarked;
