package io.penstock.selection;

import java.util.Arrays;

/**
 * The pieces of prompts that one replica was sent lately, as a guess at what its KV cache still holds: a set of hashes that
 * forgets the one that was touched longest ago. Arrays of primitives only, since every request looks here: a table with
 * open addressing, and a doubly linked list in order of touch. Confined to whoever holds the lock.
 */
final class PrefixIndex {

    private static final int NONE = -1;
    private static final int FIRST_SLOTS = 64;

    private long[] hashes = new long[FIRST_SLOTS];
    private int[] newer = new int[FIRST_SLOTS];
    private int[] older = new int[FIRST_SLOTS];
    // Slot + 1 of what hashes to there, or to before; 0 if there is nothing. At least twice as many as there are slots.
    private int[] table = new int[2 * FIRST_SLOTS];
    private int size;
    private int used; // Slots that were ever in use.
    private int newest = NONE;
    private int oldest = NONE;
    private int free = NONE; // Slots that were in use, linked by older.
    private int capacity;

    /** Holds nothing, and at most {@code capacity} pieces. */
    PrefixIndex(int capacity) {
        this.capacity = Math.max(1, capacity);
    }

    int size() {
        return size;
    }

    int capacity() {
        return capacity;
    }

    /** Changes how many pieces it holds at most; forgets the oldest if there are more. */
    void resize(int pieces) {
        capacity = Math.max(1, pieces);
        while (size > capacity) {
            evict();
        }
    }

    void clear() {
        Arrays.fill(table, 0);
        size = 0;
        used = 0;
        newest = NONE;
        oldest = NONE;
        free = NONE;
    }

    /**
     * How many leading pieces of a prompt are there. A piece is never there without all those before it: its hash depends
     * on them, and they were touched after it. So a few pieces are looked at, and not each of them: all replicas are asked
     * for each request, and a long prompt has a thousand pieces.
     */
    int match(Prompt prompt) {
        int there = 0;
        int step = 1;
        while (there + step <= prompt.pieces() && contains(prompt.piece(there + step - 1))) {
            there += step;
            step *= 2;
        }
        int missing = Math.min(prompt.pieces(), there + step - 1);
        while (there < missing) {
            int middle = (there + missing) >>> 1;
            if (contains(prompt.piece(middle))) {
                there = middle + 1;
            } else {
                missing = middle;
            }
        }
        return there;
    }

    /**
     * Notes that a prompt was sent there. The last piece first, so that a tail is forgotten before the head without which
     * it is of no use: as vLLM does when it frees blocks.
     */
    void touch(Prompt prompt) {
        for (int i = Math.min(prompt.pieces(), capacity) - 1; i >= 0; i--) {
            touch(prompt.piece(i));
        }
    }

    boolean contains(long hash) {
        return find(hash) != NONE;
    }

    private void touch(long hash) {
        int slot = find(hash);
        if (slot != NONE) {
            unlink(slot);
        } else {
            if (size >= capacity) {
                evict();
            }
            slot = takeSlot();
            hashes[slot] = hash;
            enter(slot);
            size++;
        }
        older[slot] = newest;
        newer[slot] = NONE;
        if (newest == NONE) {
            oldest = slot;
        } else {
            newer[newest] = slot;
        }
        newest = slot;
    }

    private void evict() {
        int slot = oldest;
        unlink(slot);
        leave(slot);
        older[slot] = free;
        free = slot;
        size--;
    }

    private void unlink(int slot) {
        int before = older[slot];
        int after = newer[slot];
        if (before == NONE) {
            oldest = after;
        } else {
            newer[before] = after;
        }
        if (after == NONE) {
            newest = before;
        } else {
            older[after] = before;
        }
    }

    private int takeSlot() {
        if (free != NONE) {
            int slot = free;
            free = older[slot];
            return slot;
        }
        if (used == hashes.length) {
            grow();
        }
        return used++;
    }

    private void grow() {
        int slots = 2 * hashes.length;
        hashes = Arrays.copyOf(hashes, slots);
        newer = Arrays.copyOf(newer, slots);
        older = Arrays.copyOf(older, slots);
        table = new int[2 * slots];
        for (int slot = oldest; slot != NONE; slot = newer[slot]) {
            enter(slot);
        }
    }

    private int home(long hash) {
        // The hashes may have been made by anyone, so their bits are mixed once more (Fibonacci hashing).
        long mixed = (hash ^ (hash >>> 32)) * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 32) & (table.length - 1);
    }

    private int find(long hash) {
        for (int at = home(hash); table[at] != 0; at = (at + 1) & (table.length - 1)) {
            if (hashes[table[at] - 1] == hash) {
                return table[at] - 1;
            }
        }
        return NONE;
    }

    private void enter(int slot) {
        int at = home(hashes[slot]);
        while (table[at] != 0) {
            at = (at + 1) & (table.length - 1);
        }
        table[at] = slot + 1;
    }

    /** Takes a slot out of the table and moves up those behind it that would not be found past the gap (Knuth 6.4, R). */
    private void leave(int slot) {
        int mask = table.length - 1;
        int gap = home(hashes[slot]);
        while (table[gap] != slot + 1) {
            gap = (gap + 1) & mask;
        }
        for (int at = (gap + 1) & mask; table[at] != 0; at = (at + 1) & mask) {
            int home = home(hashes[table[at] - 1]);
            boolean reachable = ((at - home) & mask) < ((at - gap) & mask);
            if (!reachable) {
                table[gap] = table[at];
                gap = at;
            }
        }
        table[gap] = 0;
    }
}
