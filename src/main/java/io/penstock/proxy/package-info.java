/** The front: one request's way from the client to a replica and back. */
@NullMarked
package io.penstock.proxy;

import org.jspecify.annotations.NullMarked;
