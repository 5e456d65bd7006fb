/** Routing in virtual time: the waiting room and its policies in front of simulated engines, without sockets. */
@NullMarked
package io.penstock.bench;

import org.jspecify.annotations.NullMarked;
