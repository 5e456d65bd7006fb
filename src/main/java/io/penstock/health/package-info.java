/** Who may get work: probes, and what follows from them. */
@NullMarked
package io.penstock.health;

import org.jspecify.annotations.NullMarked;
