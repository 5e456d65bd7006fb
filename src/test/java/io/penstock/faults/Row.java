package io.penstock.faults;

import io.penstock.faults.Answer.Ending;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What one balancer made of one kind of trouble.
 *
 * @param contender who
 * @param phase the part of the table
 * @param fault the trouble
 * @param kind "stream", "whole" or both
 * @param requests how many were asked
 * @param complete answers that are what they must be
 * @param honest failures that the client can tell
 * @param lost of these, failures before any output, which another replica could have made good
 * @param silent answers that look complete and are not
 * @param wrong answers with text that nobody asked for
 * @param waiting clients that gave up since nothing came
 * @param retries tries at replicas beyond one per request
 * @param leaked requests that ran on at a replica though nobody waited for them
 * @param flaws what else was not as promised, each once
 */
record Row(
        Contender contender,
        String phase,
        String fault,
        String kind,
        int requests,
        int complete,
        int honest,
        int lost,
        int silent,
        int wrong,
        int waiting,
        int retries,
        int leaked,
        List<String> flaws) {

    /** Copies the flaws. */
    Row {
        flaws = List.copyOf(flaws);
    }

    /** Counts answers. */
    static Row of(
            Contender contender,
            String phase,
            String fault,
            String kind,
            Collection<Answer> answers,
            int retries,
            int leaked,
            Collection<String> books) {
        Set<String> flaws = new LinkedHashSet<>(books);
        answers.forEach(each -> flaws.addAll(each.flaws()));
        int honest = count(answers, Ending.HONEST);
        int lost = (int) answers.stream().filter(Answer::isLoss).count();
        return new Row(
                contender,
                phase,
                fault,
                kind,
                answers.size(),
                count(answers, Ending.COMPLETE),
                honest,
                lost,
                count(answers, Ending.SILENT),
                count(answers, Ending.WRONG),
                count(answers, Ending.WAITING),
                retries,
                leaked,
                List.copyOf(flaws));
    }

    private static int count(Collection<Answer> answers, Ending ending) {
        return (int) answers.stream().filter(each -> each.ending() == ending).count();
    }

    /** Both together. */
    Row plus(Row other) {
        Set<String> both = new LinkedHashSet<>(flaws);
        both.addAll(other.flaws);
        return new Row(
                contender,
                phase,
                fault,
                kind.equals(other.kind) ? kind : "both",
                requests + other.requests,
                complete + other.complete,
                honest + other.honest,
                lost + other.lost,
                silent + other.silent,
                wrong + other.wrong,
                waiting + other.waiting,
                retries + other.retries,
                leaked + other.leaked,
                List.copyOf(both));
    }

    /** The promises that were broken, in words; empty if all were kept. */
    List<String> broken() {
        List<String> broken = new ArrayList<>();
        note(broken, lost, "could have been saved");
        note(broken, silent, "look complete and are not");
        note(broken, wrong, "have text that nobody asked for");
        note(broken, leaked, "run on at a replica");
        broken.addAll(flaws);
        return broken;
    }

    private static void note(List<String> broken, int count, String words) {
        if (count > 0) {
            broken.add(count + " " + words);
        }
    }
}
