/** The replicas: who they are, where they are, and the work each of them holds. */
@NullMarked
package io.penstock.upstream;

import org.jspecify.annotations.NullMarked;
