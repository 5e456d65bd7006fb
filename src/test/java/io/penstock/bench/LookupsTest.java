package io.penstock.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LookupsTest {

    @Test
    void allSeriesOfAFamilyCountAndNoOthers() {
        String exposition = """
                # TYPE vllm:prefix_cache_hits_total counter
                vllm:prefix_cache_hits_total{engine="0",model_name="demo"} 1.5e+03
                vllm:prefix_cache_hits_total{engine="1",model_name="demo"} 500.0
                vllm:prefix_cache_hits_created{engine="0",model_name="demo"} 1.79e+09
                my_vllm:prefix_cache_hits_total{engine="0"} 7
                """;

        assertThat(Lookups.sum("vllm:prefix_cache_hits_total", exposition)).isEqualTo(2_000);
        assertThat(Lookups.sum("vllm:other_total", exposition)).isZero();
    }

    @Test
    void whatWasFoundMeanwhileIsAShareOfWhatWasAskedMeanwhile() {
        Lookups before = new Lookups(100, 90);

        assertThat(new Lookups(300, 190).since(before).ratio()).isEqualTo(0.5);
        assertThat(before.since(before).ratio()).isNaN();
    }
}
