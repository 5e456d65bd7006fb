/** From other proxies' configurations to ours. Reads and writes text; only the command line knows it. */
@NullMarked
package io.penstock.migrate;

import org.jspecify.annotations.NullMarked;
