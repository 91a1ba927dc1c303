//! Made-up things are drawn from a row of numbers, so that a failing row can be shortened and bytes can stand for it.

/// Takes numbers one by one; 0 when there are no more.
#[derive(Debug)]
pub struct Draw {
    words: std::vec::IntoIter<u64>,
}

impl Draw {
    pub fn new(words: Vec<u64>) -> Self {
        Self { words: words.into_iter() }
    }

    /// Two bytes are one number.
    pub fn bytes(data: &[u8]) -> Self {
        let pairs = data.chunks(2).map(|pair| pair.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        Self::new(pairs.collect())
    }

    pub fn word(&mut self) -> u64 {
        self.words.next().unwrap_or(0)
    }

    /// 0 to `end` - 1; 0 is the simplest.
    pub fn below(&mut self, end: u64) -> u64 {
        self.word() % end
    }

    pub fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end.max(1) as u64)).unwrap_or(0)
    }

    /// True once in `n`.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == n - 1
    }

    pub fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.index(all.len())].clone()
    }

    /// Some of them, in their order, each with the same chance of one in `n`.
    pub fn some<T: Clone>(&mut self, all: &[T], n: u64) -> Vec<T> {
        all.iter().filter(|_| self.once_in(n)).cloned().collect()
    }

    /// A number of up to so many digits; most are short.
    pub fn digits(&mut self, most: u32) -> u128 {
        let digits = match self.below(16) {
            0..=9 => 3,
            10..=14 => 7,
            _ => most,
        };
        let wide = u128::from(self.word()) << 48 ^ u128::from(self.word()) << 24 ^ u128::from(self.word());
        wide % 10u128.pow(digits.min(most))
    }
}
