//! The ids that a mistyped one may have meant.

use crate::Model;

const SHOWN: usize = 3;

/// The ids whose id, name or alias is nearest to what was typed, nearest first.
pub(crate) fn nearest<'a>(typed: &str, models: impl IntoIterator<Item = &'a Model>) -> Vec<String> {
    let typed: String = typed.chars().take(80).collect::<String>().to_lowercase();
    let mut ranked: Vec<(usize, &str)> = models
        .into_iter()
        .map(|m| {
            let texts = [m.id.as_str(), &m.name, m.printed_name()].into_iter().chain(m.aliases.iter().map(String::as_str));
            (texts.map(|text| distance(&typed, &text.to_lowercase())).min().unwrap_or(usize::MAX), m.id.as_str())
        })
        .collect();
    ranked.sort();
    ranked.dedup();
    ranked.into_iter().take(SHOWN).map(|(_, id)| id.to_owned()).collect()
}

/// Edits between two texts; a text that starts with what was typed counts as one edit.
fn distance(typed: &str, text: &str) -> usize {
    if typed == text {
        return 0;
    }
    if !typed.is_empty() && text.starts_with(typed) {
        return 1;
    }
    let text: Vec<char> = text.chars().collect();
    let mut row: Vec<usize> = (0..=text.len()).collect();
    for (above, a) in typed.chars().enumerate() {
        let mut left = above.saturating_add(1);
        let mut diagonal = above;
        let mut next = vec![left];
        for (b, up) in text.iter().zip(row.iter().skip(1)) {
            let change = diagonal.saturating_add(usize::from(a != *b));
            left = change.min(left.saturating_add(1)).min(up.saturating_add(1));
            diagonal = *up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("sora", "sora-2"), 1);
        assert_eq!(distance("flaw", "lawn"), 2);
    }
}
