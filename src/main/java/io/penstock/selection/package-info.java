/** Which replica gets a request. */
@NullMarked
package io.penstock.selection;

import org.jspecify.annotations.NullMarked;
