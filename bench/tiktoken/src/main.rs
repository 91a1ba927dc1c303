//! Peer: the crate `tiktoken`, its pricing module. One float, no lines.

use bench_common::{
    ONE_MODEL, Request, Workload, answer,
    exact::{Rates, compare},
    measure, request,
    workload::{Counts, names},
};
use std::hint::black_box;
use tiktoken::pricing::{Model, get_model};

fn by_name(name: &str, c: Counts) -> Option<f64> {
    Some(get_model(name)?.estimate_cost_with_cache(c.uncached(), c.cached, c.output))
}

fn main() {
    // Only names that its table spells so: the others go through its slower normalisation.
    let known: Vec<&str> = names().iter().map(|n| n.model).filter(|n| get_model(n).is_some()).collect();
    let models: Vec<&Model> = known.iter().filter_map(|name| get_model(name)).collect();
    let quote = |name: &&str, counts| _ = black_box(by_name(name, counts));
    let quote_model = |m: &&Model, c: Counts| _ = black_box(m.estimate_cost_with_cache(c.uncached(), c.cached, c.output));
    let one = [black_box(ONE_MODEL)];
    let one_model = one.map(|name| get_model(name).expect("a known name"));
    match request() {
        Request::Speed { seconds } => answer(&[
            measure(Workload::NamesCommon, &known, seconds, quote),
            measure(Workload::NameOne, &one, seconds, quote),
            measure(Workload::ModelsCommon, &models, seconds, quote_model),
            measure(Workload::ModelOne, &one_model, seconds, quote_model),
        ]),
        Request::Exact { count } => {
            let rates = |m: &Model| Some(Rates::of_floats(m.pricing.input_per_1m, m.pricing.cached_input_per_1m?, m.pricing.output_per_1m));
            let priced: Vec<_> = known.iter().filter_map(|name| Some((*name, rates(get_model(name)?)?))).collect();
            answer(&compare(&priced, count, |name, counts| by_name(name, counts).expect("a known name")));
        }
        Request::First => answer(&by_name(ONE_MODEL, Counts::nth(0))),
    }
}
