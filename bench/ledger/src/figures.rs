//! CPU time, several rounds, and their median.

use cpu_time::ProcessTime;
use std::time::Duration;

/// Something that is done again and again.
pub struct Work<'a> {
    pub name: String,
    /// What one turn is counted as; more than one call is said so in the name.
    pub turn: Box<dyn FnMut(u64) + 'a>,
}

impl<'a> Work<'a> {
    pub fn new(name: impl Into<String>, turn: impl FnMut(u64) + 'a) -> Self {
        Self { name: name.into(), turn: Box::new(turn) }
    }
}

/// What one turn took in each round, in nanoseconds of CPU time.
pub struct Figure {
    pub name: String,
    pub nanoseconds: Vec<f64>,
}

impl Figure {
    pub fn median(&self) -> f64 {
        let mut sorted = self.nanoseconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    fn span(&self) -> (f64, f64) {
        self.nanoseconds.iter().fold((f64::INFINITY, 0.0), |(least, most), n| (least.min(*n), most.max(*n)))
    }
}

/// Does each in turn, round after round, so that what else the machine does meets all of them; a round before the first does not count.
pub fn rounds(mut works: Vec<Work<'_>>, seconds: f64, rounds: usize) -> Vec<Figure> {
    let mut figures: Vec<Figure> = works.iter().map(|w| Figure { name: w.name.clone(), nanoseconds: Vec::new() }).collect();
    let mut turns = vec![0u64; works.len()];
    for round in 0..=rounds {
        for ((work, figure), from) in works.iter_mut().zip(&mut figures).zip(&mut turns) {
            let nanoseconds = once(&mut *work.turn, from, seconds);
            if round > 0 {
                figure.nanoseconds.push(nanoseconds);
            }
        }
    }
    figures
}

/// Turns for so many seconds of CPU time; the clock is read about every thousandth of it.
fn once(turn: &mut dyn FnMut(u64), from: &mut u64, seconds: f64) -> f64 {
    let (began, wanted) = (ProcessTime::now(), Duration::from_secs_f64(seconds));
    let (first, mut batch) = (*from, 1);
    loop {
        for n in *from..*from + batch {
            turn(n);
        }
        *from += batch;
        let used = began.elapsed();
        if used >= wanted {
            return used.as_secs_f64() * 1e9 / (*from - first) as f64;
        }
        if used < wanted / 1000 {
            batch *= 2;
        }
    }
}

/// One line each: the median with what it makes in a CPU-second, and the span over the rounds.
pub fn print(figures: &[Figure]) {
    println!("| | per CPU-second | median, ns | least to most, ns |\n|---|---:|---:|---:|");
    for figure in figures {
        let (median, (least, most)) = (figure.median(), figure.span());
        println!("| {} | {} | {median:.1} | {least:.1} to {most:.1} |", figure.name, grouped(1e9 / median));
    }
}

/// With commas between thousands, to three figures.
pub fn grouped(number: f64) -> String {
    let step = 10f64.powf((number.log10().floor() - 2.0).max(0.0));
    let digits = format!("{:.0}", (number / step).round() * step);
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}
