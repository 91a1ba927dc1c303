//! Columns that stand under each other.

use std::io::{self, Write};

/// On which side a column's texts meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// Writes rows with their columns aligned and two spaces between; nothing stands behind the last text of a row.
pub fn write(out: &mut impl Write, indent: &str, sides: &[Side], rows: &[Vec<String>]) -> io::Result<()> {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..sides.len()).map(width).collect();
    for row in rows {
        let mut line = String::from(indent);
        for ((text, side), width) in row.iter().zip(sides).zip(&widths) {
            let gap = " ".repeat(width.saturating_sub(text.chars().count()));
            match side {
                Side::Left => line.extend([text.as_str(), &gap, "  "]),
                Side::Right => line.extend([&gap, text.as_str(), "  "]),
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_meet_on_their_side() {
        let rows = [vec!["a".to_owned(), "1".to_owned(), "x".to_owned()], vec!["bcd".to_owned(), "20".to_owned(), String::new()]];
        let mut out = Vec::new();
        write(&mut out, " ", &[Side::Left, Side::Right, Side::Left], &rows).expect("writes");
        assert_eq!(String::from_utf8(out).expect("utf-8"), " a     1  x\n bcd  20\n");
    }
}
