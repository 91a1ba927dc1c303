//! The same deterministic workload for every contender, in every language.

/// A typical quote's counts: the whole prompt, the part of it that was read from a cache, the answer.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    pub input: u64,
    pub cached: u64,
    pub output: u64,
}

impl Counts {
    /// About 1,000 input tokens of which about 400 cached, and 200 output; other ones for every quote, so that nothing can be kept from the
    /// last one.
    #[inline(always)]
    pub fn nth(n: u64) -> Self {
        Self { input: 1000 + (n & 63), cached: 400 + (n & 31), output: 200 + (n & 15) }
    }

    /// Tokens of the prompt that were not read from a cache.
    #[inline(always)]
    pub fn uncached(self) -> u64 {
        self.input - self.cached
    }
}

/// Xorshift of 32 bits: short enough to be written alike in three languages.
pub struct Random(u32);

impl Random {
    pub fn seeded() -> Self {
        Self(2_463_534_242)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        u64::from(self.0)
    }

    /// A usage below every peer's long-context threshold.
    pub fn counts(&mut self) -> Counts {
        let input = 1 + self.draw() % 100_000;
        Counts { input, cached: self.draw() % (input + 1), output: 1 + self.draw() % 20_000 }
    }
}

/// A line of `names.txt`.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    pub provider: &'static str,
    pub model: &'static str,
}

/// The common list, in the order in which every contender goes through it.
pub fn names() -> Vec<Name> {
    let line = |line: &'static str| line.split_once(' ').map(|(provider, model)| Name { provider, model }).expect("a provider and a model");
    shuffled(include_str!("../../names.txt").lines().map(line).collect())
}

/// Mixes the order, always in the same way, so that neighbours in a list are not neighbours in time.
pub fn shuffled<T>(mut items: Vec<T>) -> Vec<T> {
    let mut random = Random::seeded();
    for last in (1..items.len()).rev() {
        let other = random.draw() % (last as u64 + 1);
        items.swap(last, other as usize);
    }
    items
}
