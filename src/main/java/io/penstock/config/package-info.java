/** What the operator wrote, read and checked as a whole. */
@NullMarked
package io.penstock.config;

import org.jspecify.annotations.NullMarked;
