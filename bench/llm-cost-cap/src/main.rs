//! Peer: the crate `llm-cost-cap`. Three floats and their sum.

use bench_common::{
    Request, Workload, answer,
    exact::{Rates, compare},
    measure, request,
    workload::{Counts, names},
};
use llm_cost_cap::{CostCap, builtin_prices};
use std::hint::black_box;

fn main() {
    let (cap, prices) = (CostCap::new(1e9), builtin_prices());
    let known: Vec<&str> = names().iter().map(|n| n.model).filter(|n| prices.contains_key(*n)).collect();
    let estimate = |name: &str, c: Counts| cap.estimate_with_cached(name, c.uncached(), c.output, c.cached);
    let quote = |name: &&str, counts| _ = black_box(estimate(name, counts));
    match request() {
        Request::Speed { seconds } => answer(&[
            measure(Workload::NamesCommon, &known, seconds, quote),
            measure(Workload::NameOne, &[black_box("gpt-5")], seconds, quote),
        ]),
        Request::Exact { count } => {
            let rates = |name: &str| {
                let price = prices.get(name)?;
                Some(Rates::of_floats(price.input_per_million_usd, price.cached_input_per_million_usd?, price.output_per_million_usd))
            };
            let priced: Vec<_> = known.iter().filter_map(|name| Some((*name, rates(name)?))).collect();
            answer(&compare(&priced, count, |name, counts| estimate(name, counts).expect("a known name").total_usd));
        }
        Request::First => answer(&estimate("gpt-5", Counts::nth(0)).expect("a known name").total_usd),
    }
}
