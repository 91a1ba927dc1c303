//! How the window shows what it shows: language, motion, size of text, whether amounts are hidden.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What a person set about the window, beside the theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DisplayView {
    /// Language of words, numbers and dates.
    pub language: Language,
    /// Whether every amount is masked, wherever the app shows one.
    pub hide_amounts: bool,
    /// How much moves.
    pub motion: Motion,
    /// Size of all text.
    pub text_size: TextSize,
}

/// Languages that the app speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
pub enum Language {
    /// As the system says.
    #[default]
    #[serde(rename = "system")]
    System,
    /// English.
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese.
    #[serde(rename = "zh-Hans")]
    ChineseSimplified,
}

/// How much moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// As the system says.
    #[default]
    System,
    /// Less, whatever the system says.
    Less,
}

/// Size of all text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type, Default)]
#[serde(rename_all = "snake_case")]
pub enum TextSize {
    /// 90 %.
    Small,
    /// 100 %.
    #[default]
    Usual,
    /// 125 %.
    Large,
}
