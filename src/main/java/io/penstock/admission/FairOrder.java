package io.penstock.admission;

import java.util.HashMap;
import java.util.Map;

/**
 * Whose turn it is among callers that wait: the one that was served least goes first. A caller that comes back after a
 * while starts where the one that was sent last stood, so nobody saves up turns while idle (start-time fair queueing, Goyal,
 * Vin and Cheng, 1996). Confined to whoever holds the door.
 */
final class FairOrder {

    /** Callers that do not wait are remembered while they are this few; forgetting one forgives it a request. */
    private static final int REMEMBERED = 4096;

    private final Map<String, Account> accounts = new HashMap<>();
    private double reached;

    private static final class Account {
        private double served;
        private int waiting;
    }

    /** A request of this caller begins to wait. */
    void arrives(String caller) {
        Account account = accounts.computeIfAbsent(caller, c -> new Account());
        if (account.waiting++ == 0) {
            account.served = Math.max(account.served, reached);
        }
    }

    /** A request of this caller no longer waits, and was not sent. */
    void leaves(String caller) {
        Account account = accounts.get(caller);
        if (account != null) {
            account.waiting--;
        }
    }

    /** A request of this caller that waited is sent. */
    void sent(String caller, double charge) {
        leaves(caller);
        Account account = accounts.computeIfAbsent(caller, c -> new Account());
        reached = account.served;
        account.served += charge;
        if (accounts.size() > REMEMBERED) {
            accounts.values().removeIf(each -> each.waiting == 0 && each.served <= reached);
            if (accounts.size() > REMEMBERED) {
                accounts.values().removeIf(each -> each.waiting == 0);
            }
        }
    }

    /** What this caller was given so far; only the order means something. */
    double served(String caller) {
        Account account = accounts.get(caller);
        return account == null ? reached : account.served;
    }

    /** Whether no request of any caller waits. */
    boolean nobodyWaits() {
        return accounts.values().stream().allMatch(each -> each.waiting == 0);
    }

    /** Callers that are remembered. */
    int callers() {
        return accounts.size();
    }
}
