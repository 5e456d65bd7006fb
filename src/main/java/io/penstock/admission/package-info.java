/** Who may enter: memory for bodies, and the room where requests wait for a replica. */
@NullMarked
package io.penstock.admission;

import org.jspecify.annotations.NullMarked;
