//! What is to be priced.

use crate::meter::words;
use serde::{Deserialize, Serialize, Serializer};
use std::{collections::BTreeMap, fmt};

/// Most runs that one quote may be asked for.
pub const RUNS_MAX: u32 = 10_000;
/// Most of any count in one run.
pub const COUNT_MAX: u64 = 1_000_000_000;

words! {
    /// Kinds of work.
    Kind {
        /// Tokens in, tokens out.
        Chat = "chat",
        /// Per generation.
        Image = "image",
        /// Per clip, by seconds, resolution and sound.
        Video = "video",
        /// Per character.
        Audio = "audio",
        /// Tokens in.
        Embedding = "embedding",
        /// Web search and scraping per call.
        Search = "search",
    }
}

words! {
    /// Parameters of a clip that can be chosen.
    ParameterName {
        /// How long it is.
        Seconds = "seconds",
        /// How fine it is.
        Resolution = "resolution",
        /// Whether it has sound: `on` or `off`.
        Audio = "audio",
    }
}

/// A model, what each run is, and how many runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Id in the card.
    pub model_id: String,
    /// What each run is.
    pub parameters: Parameters,
    /// How many; 1 to [`RUNS_MAX`].
    pub runs: u32,
}

/// What one run is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Parameters {
    /// A conversation turn.
    Chat {
        /// Tokens sent.
        input_tokens: u64,
        /// Tokens answered.
        output_tokens: u64,
        /// Web searches made.
        #[serde(default)]
        web_searches: u64,
        /// Scraping calls made; a message of up to three links makes one to three.
        #[serde(default)]
        web_scrapes: u64,
    },
    /// Generations.
    Image {
        /// How many.
        images: u64,
    },
    /// Speech.
    Audio {
        /// How many characters.
        characters: u64,
    },
    /// A clip.
    Video {
        /// Its length.
        seconds: u32,
        /// Its resolution; the model's own when absent.
        #[serde(default)]
        resolution: Option<String>,
        /// Its sound; the model's own when absent.
        #[serde(default)]
        audio: Option<bool>,
    },
    /// Vectors.
    Embedding {
        /// Tokens sent.
        input_tokens: u64,
    },
    /// Calls of a search or scraping model.
    Search {
        /// How many.
        calls: u64,
    },
}

impl Run {
    /// What a usage log says of it: meter to count over all runs, and a clip's resolution and sound.
    #[must_use]
    pub fn meters(&self) -> BTreeMap<String, String> {
        let times = |n: u64| n.saturating_mul(u64::from(self.runs)).to_string();
        let mut meters = BTreeMap::new();
        let mut add = |name: &str, count: u64| {
            if count > 0 {
                meters.insert(name.to_owned(), times(count));
            }
        };
        match &self.parameters {
            Parameters::Chat { input_tokens, output_tokens, web_searches, web_scrapes } => {
                add("input_tokens", *input_tokens);
                add("output_tokens", *output_tokens);
                add("web_searches", *web_searches);
                add("web_scrapes", *web_scrapes);
            }
            Parameters::Image { images } => add("images", *images),
            Parameters::Audio { characters } => add("characters", *characters),
            Parameters::Embedding { input_tokens } => add("input_tokens", *input_tokens),
            Parameters::Search { calls } => add("calls", *calls),
            Parameters::Video { seconds, resolution, audio } => {
                add("seconds", u64::from(*seconds));
                meters.extend(resolution.iter().map(|r| ("resolution".to_owned(), r.clone())));
                meters.extend(audio.iter().filter(|on| **on).map(|_| ("audio".to_owned(), "on".to_owned())));
            }
        }
        meters
    }
}

impl Parameters {
    /// Which kind of work this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Chat { .. } => Kind::Chat,
            Self::Image { .. } => Kind::Image,
            Self::Audio { .. } => Kind::Audio,
            Self::Video { .. } => Kind::Video,
            Self::Embedding { .. } => Kind::Embedding,
            Self::Search { .. } => Kind::Search,
        }
    }
}

/// For people: `500 in, 200 out`, `4 s, 720p, sound`, `1 image`.
impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |f: &mut fmt::Formatter<'_>, n: u64, one: &str, many: &str| {
            write!(f, "{} {}", grouped(&n.to_string()), if n == 1 { one } else { many })
        };
        match self {
            Self::Chat { input_tokens, output_tokens, web_searches, web_scrapes } => {
                write!(f, "{} in, {} out", grouped(&input_tokens.to_string()), grouped(&output_tokens.to_string()))?;
                if *web_searches > 0 {
                    f.write_str(", ")?;
                    counted(f, *web_searches, "search", "searches")?;
                }
                if *web_scrapes > 0 {
                    f.write_str(", ")?;
                    counted(f, *web_scrapes, "scrape", "scrapes")?;
                }
                Ok(())
            }
            Self::Image { images } => counted(f, *images, "image", "images"),
            Self::Audio { characters } => counted(f, *characters, "character", "characters"),
            Self::Video { seconds, resolution, audio } => {
                write!(f, "{seconds} s")?;
                if let Some(resolution) = resolution {
                    write!(f, ", {resolution}")?;
                }
                if *audio == Some(true) { f.write_str(", sound") } else { Ok(()) }
            }
            Self::Embedding { input_tokens } => counted(f, *input_tokens, "token", "tokens"),
            Self::Search { calls } => counted(f, *calls, "call", "calls"),
        }
    }
}

/// Writes the thousands of a whole number apart: `10000` becomes `10,000`.
pub(crate) fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (at, digit) in digits.chars().rev().enumerate() {
        if at > 0 && at.checked_rem(3) == Some(0) {
            out.insert(0, ',');
        }
        out.insert(0, digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_reads_as_people_say_it() {
        let chat = Parameters::Chat { input_tokens: 1_240, output_tokens: 200, web_searches: 1, web_scrapes: 3 };
        assert_eq!(chat.to_string(), "1,240 in, 200 out, 1 search, 3 scrapes");
        let clip = Parameters::Video { seconds: 4, resolution: Some("720p".into()), audio: Some(true) };
        assert_eq!(clip.to_string(), "4 s, 720p, sound");
        assert_eq!(Parameters::Audio { characters: 1_000_000 }.to_string(), "1,000,000 characters");
        assert_eq!(Parameters::Search { calls: 1 }.to_string(), "1 call");
    }
}
