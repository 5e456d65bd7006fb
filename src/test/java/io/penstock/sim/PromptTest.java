package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PromptTest {

    @Test
    void equalBeginningsHaveEqualBlocksAndNothingAfterADifferenceIs() {
        String shared = "x".repeat(640);
        long[] one = Prompt.ofText(shared + "a".repeat(640)).blocks(16);
        long[] other = Prompt.ofText(shared + "b" + "a".repeat(639)).blocks(16);

        assertThat(one).hasSize(20);
        assertThat(Arrays.mismatch(one, other)).isEqualTo(10);
        assertThat(Arrays.stream(one).distinct().count()).isEqualTo(20);
        assertThat(one[19]).isNotEqualTo(other[19]);
    }

    @Test
    void onlyWholeBlocksCount() {
        assertThat(Prompt.ofText("x".repeat(127)).blocks(16)).hasSize(1);
        assertThat(Prompt.ofText("").blocks(16)).isEmpty();
        assertThat(Prompt.ofText("").tokens()).isOne();
        assertThat(Prompt.ofText("x".repeat(127)).tokens()).isEqualTo(32);
    }

    @Test
    void aPieceIsFourBlocksOfSixteenAndHalfABlockOfOneHundredAndTwentyEight() {
        long[] pieces = {7, 8, 9};
        Prompt prompt = Prompt.ofPieces(pieces, 250);

        assertThat(prompt.blocks(16)).hasSize(12);
        assertThat(Arrays.stream(prompt.blocks(16)).distinct().count()).isEqualTo(12);
        assertThat(prompt.blocks(128)).hasSize(1);
        assertThat(Prompt.ofPieces(new long[] {7, 1, 9}, 250).blocks(128)).isNotEqualTo(prompt.blocks(128));
        assertThat(Prompt.ofPieces(pieces, 100).blocks(16)).hasSize(6);
    }
}
