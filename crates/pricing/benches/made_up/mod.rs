//! A rate card of any size whose models and prices are made up, always the same ones.

use std::{collections::BTreeSet, fmt::Write as _};

const PROVIDERS: [&str; 12] = [
    "anthropic/",
    "openai/",
    "azure/eu/",
    "google/",
    "vertex_ai/",
    "bedrock/us-east-1/",
    "openrouter/",
    "together_ai/",
    "fireworks/",
    "deepinfra/",
    "mistral/",
    "",
];
const FAMILIES: [&str; 16] = [
    "aurora",
    "beacon-chat",
    "cedar",
    "delta-coder",
    "ember",
    "falcon-next",
    "granite-vl",
    "harbor",
    "indigo-mini",
    "juniper",
    "kestrel",
    "lumen-pro",
    "meridian",
    "nimbus-flash",
    "opal",
    "quartz-reasoner",
];
const SIZES: [&str; 8] = ["", "-3b", "-8b", "-14b", "-32b", "-70b", "-235b-a22b", "-405b"];
const VARIANTS: [&str; 8] = ["", "-instruct", "-thinking", "-preview", "-turbo", "-latest", "-fp8", "-v1:0"];

/// Xorshift of 64 bits.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = self.below(words.len() as u64);
        words[usize::try_from(at).expect("an index")]
    }
}

/// The card's text: the models of `first`, then made-up ones of 12 to 45 characters, `models` in all.
pub fn card(models: usize, first: &[&str]) -> String {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut ids: BTreeSet<String> = BTreeSet::new();
    let mut card = String::from(concat!(
        r#"{"format":"aispace-rate-card/2","id":"made-up","name":"Made-up prices","date":"2026-01-01","#,
        r#""unit":{"code":"usd","name":"US dollar","per_usd":"1"},"posting":{"rule":"half_up","decimals":6},"models":["#,
    ));
    while ids.len() < models {
        let id = first.get(ids.len()).map_or_else(|| made_up_id(&mut random), ToString::to_string);
        if !ids.insert(id.clone()) {
            continue;
        }
        let comma = if ids.len() == 1 { "" } else { ",\n" };
        write!(card, "{comma}{}", model(&id, &mut random)).expect("a string takes any text");
    }
    card.push_str("]}\n");
    card
}

fn made_up_id(random: &mut Random) -> String {
    loop {
        let (provider, family, size, variant) = (random.of(&PROVIDERS), random.of(&FAMILIES), random.of(&SIZES), random.of(&VARIANTS));
        let mut id = format!("{provider}{family}-{}.{}{size}{variant}", 1 + random.below(6), random.below(10));
        if random.below(2) == 0 {
            write!(id, "-2026-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28)).expect("a string takes any text");
        }
        if (12..=45).contains(&id.len()) {
            return id;
        }
    }
}

/// A chat model: three rates for all, cache writes for a third, a long-context price for an eighth.
fn model(id: &str, random: &mut Random) -> String {
    let hundredths = 1 + random.below(3_000);
    let (input, output) = (dollars(hundredths * 100), dollars(hundredths * (200 + random.below(600))));
    let cached = dollars(hundredths * 10);
    let mut rates = vec![rate("input_tokens", &input, ""), rate("output_tokens", &output, ""), rate("cache_read_tokens", &cached, "")];
    if random.below(3) == 0 {
        rates.push(rate("cache_write_5m_tokens", &dollars(hundredths * 125), ""));
        rates.push(rate("cache_write_1h_tokens", &dollars(hundredths * 200), ""));
    }
    if random.below(8) == 0 {
        let long = r#","when":{"prompt_tokens":{"over":200000}}"#;
        rates.push(rate("input_tokens", &dollars(hundredths * 200), long));
        rates.push(rate("output_tokens", &dollars(hundredths * 900), long));
    }
    let limits = format!(r#"{{"context_tokens":{},"output_tokens":{}}}"#, 32_000 * (1 + random.below(32)), 8_000 * (1 + random.below(8)));
    format!(
        r#"{{"id":"{id}","name":"Made-up {id}","kind":"chat","capabilities":["function_calling"],"limits":{limits},"base":{{"usage":{{"input_tokens":1000,"output_tokens":200}}}},"rates":[{}]}}"#,
        rates.join(","),
    )
}

fn rate(meter: &str, amount: &str, when: &str) -> String {
    format!(r#"{{"meter":"{meter}","amount":"{amount}","unit":"usd","per":"1M"{when}}}"#)
}

/// Ten-thousandths of a dollar as a decimal without needless zeros.
fn dollars(ten_thousandths: u64) -> String {
    let all = format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000);
    all.trim_end_matches('0').trim_end_matches('.').to_string()
}
