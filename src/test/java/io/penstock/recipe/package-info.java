/** What the usual recipe of one nginx before several vLLMs lets its users down with: each failure, by its number. */
@NullMarked
package io.penstock.recipe;

import org.jspecify.annotations.NullMarked;
