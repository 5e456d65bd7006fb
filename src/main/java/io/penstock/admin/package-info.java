/** The operator's port. */
@NullMarked
package io.penstock.admin;

import org.jspecify.annotations.NullMarked;
