/** How the verticles tell each other that something changed. */
@NullMarked
package io.penstock.bus;

import org.jspecify.annotations.NullMarked;
