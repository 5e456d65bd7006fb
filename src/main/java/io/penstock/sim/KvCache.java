package io.penstock.sim;

import java.util.Arrays;

/**
 * The KV cache of one engine: a fixed number of blocks, each held by any number of requests or by none. A block that
 * nobody holds keeps its content, under its hash, until it is needed for something else; the one that was given back
 * first goes first. Since a request gives its last block back before its first, ends of prompts are forgotten before
 * their beginnings, which more prompts share. Every operation takes the same time however large the cache is. Confined
 * to one thread.
 */
final class KvCache {

    private static final int NONE = -1;

    private final int[] holders;
    private final long[] hashes;
    private final boolean[] hashed;
    // The blocks that nobody holds, as a list in which any block can be unlinked: next and previous, with the entry
    // after the last block as both ends.
    private final int[] next;
    private final int[] previous;
    private final int ends;
    private int free;
    private long returns;
    // Blocks by hash: open addressing, linear probing, no tombstones; never more than half full.
    private final int[] table;
    private final int mask;

    KvCache(int blocks) {
        holders = new int[blocks];
        hashes = new long[blocks];
        hashed = new boolean[blocks];
        next = new int[blocks + 1];
        previous = new int[blocks + 1];
        ends = blocks;
        for (int i = 0; i <= blocks; i++) {
            next[i] = i == blocks ? 0 : i + 1;
            previous[i] = i == 0 ? blocks : i - 1;
        }
        free = blocks;
        int capacity = Integer.highestOneBit(Math.max(4, blocks)) << 2;
        table = new int[capacity];
        Arrays.fill(table, NONE);
        mask = capacity - 1;
    }

    int size() {
        return holders.length;
    }

    /** How many blocks nobody holds. */
    int free() {
        return free;
    }

    /** Rises whenever a block becomes free, so that who found no room knows when to look again. */
    long returns() {
        return returns;
    }

    /** How many blocks at the beginning of a list of hashes are there, up to a limit. */
    int match(long[] wanted, int limit) {
        int found = 0;
        while (found < limit && find(wanted[found]) != NONE) {
            found++;
        }
        return found;
    }

    /** How many of the first blocks of a list of hashes, all of them there, nobody holds. */
    int unheld(long[] wanted, int count) {
        int unheld = 0;
        for (int i = 0; i < count; i++) {
            if (holders[find(wanted[i])] == 0) {
                unheld++;
            }
        }
        return unheld;
    }

    /** Takes hold of the first blocks of a list of hashes, all of them there. */
    void hold(long[] wanted, int count, int[] into) {
        for (int i = 0; i < count; i++) {
            int block = find(wanted[i]);
            if (holders[block]++ == 0) {
                unlink(block);
            }
            into[i] = block;
        }
    }

    /** Takes the free block that was not used for the longest time, which loses its content. There must be one. */
    int take() {
        int block = next[ends];
        if (block == ends) {
            throw new IllegalStateException("no free block");
        }
        unlink(block);
        forget(block);
        holders[block] = 1;
        return block;
    }

    /** Makes a held block findable by its content. If another one had the same content, this one stands for it now. */
    void label(int block, long hash) {
        int other = find(hash);
        if (other == block) {
            return;
        }
        if (other != NONE) {
            forget(other);
        }
        hashes[block] = hash;
        hashed[block] = true;
        int slot = home(hash);
        while (table[slot] != NONE) {
            slot = (slot + 1) & mask;
        }
        table[slot] = block;
    }

    /** Gives the first blocks of a list back, the last of them first. */
    void release(int[] blocks, int count) {
        for (int i = count - 1; i >= 0; i--) {
            int block = blocks[i];
            if (--holders[block] == 0) {
                int last = previous[ends];
                next[last] = block;
                previous[block] = last;
                next[block] = ends;
                previous[ends] = block;
                free++;
                returns++;
            }
        }
    }

    private void unlink(int block) {
        next[previous[block]] = next[block];
        previous[next[block]] = previous[block];
        free--;
    }

    private int find(long hash) {
        int slot = home(hash);
        while (table[slot] != NONE) {
            if (hashes[table[slot]] == hash) {
                return table[slot];
            }
            slot = (slot + 1) & mask;
        }
        return NONE;
    }

    private void forget(int block) {
        if (!hashed[block]) {
            return;
        }
        hashed[block] = false;
        int hole = home(hashes[block]);
        while (table[hole] != block) {
            hole = (hole + 1) & mask;
        }
        // What probing put behind the hole moves up, unless it stands at or after its own home already.
        for (int slot = (hole + 1) & mask; table[slot] != NONE; slot = (slot + 1) & mask) {
            int home = home(hashes[table[slot]]);
            if (((slot - home) & mask) >= ((slot - hole) & mask)) {
                table[hole] = table[slot];
                hole = slot;
            }
        }
        table[hole] = NONE;
    }

    private int home(long hash) {
        return (int) (hash ^ (hash >>> 32)) & mask;
    }
}
