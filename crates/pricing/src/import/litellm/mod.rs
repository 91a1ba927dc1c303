//! LiteLLM, `model_prices_and_context_window.json`: a map from model to dollars per token, second, picture, query.

mod key;
mod media;
mod schedule;
mod tokens;

use super::{
    Draft, Entry, ImportError, at_most,
    json::{self, Entries, Object, Raw},
    rates::{base, day_in},
    refusal::{Refusal, excerpt},
    top,
};
use crate::{Capability, Kind, Limits, Model, Rate};

/// Reads the models.
pub(super) fn read(text: &str, draft: &mut Draft) -> Result<(), ImportError> {
    let root: Raw<'_> = top(text)?;
    let entries: Entries<'_> = json::parse(root).ok_or(ImportError::Shape { expected: "object of models" })?;
    at_most("models", entries.count(), super::MODELS_MAX)?;
    for (id, raw) in entries.found(super::MODELS_MAX).unwrap_or_default() {
        draft.take(&id, model(&id, raw))?;
    }
    Ok(())
}

/// What a model is for, which says what its prices are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Tokens,
    Realtime,
    Embedding,
    Image,
    Video,
    Speech,
    Transcription,
    Rerank,
    Search,
    Other,
}

impl Mode {
    fn read(word: Option<&str>) -> Self {
        match word {
            Some("chat" | "responses" | "completion" | "evaluation" | "extraction" | "moderation") | None => Self::Tokens,
            Some("realtime") => Self::Realtime,
            Some("embedding") => Self::Embedding,
            Some("image_generation" | "image_edit") => Self::Image,
            Some("video_generation") => Self::Video,
            Some("audio_speech") => Self::Speech,
            Some("audio_transcription") => Self::Transcription,
            Some("rerank") => Self::Rerank,
            Some("search") => Self::Search,
            Some(_) => Self::Other,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Tokens | Self::Realtime => Kind::Chat,
            Self::Embedding => Kind::Embedding,
            Self::Image => Kind::Image,
            Self::Video => Kind::Video,
            Self::Speech | Self::Transcription => Kind::Audio,
            Self::Search => Kind::Search,
            Self::Rerank | Self::Other => Kind::Call,
        }
    }
}

/// A row, as far as it is read.
struct Row<'a> {
    fields: Object<'a>,
    mode: Mode,
    /// Whether a prompt of exactly the threshold is already a long one.
    inclusive: bool,
    rates: Vec<Rate>,
    ignored: Vec<(String, &'static str)>,
}

fn model(id: &str, raw: Raw<'_>) -> Result<Entry, Refusal> {
    match id {
        "sample_spec" => return Err(Refusal::NotAModel { what: "the sample that explains the fields" }),
        "fallback_generalizations" => return Err(Refusal::NotAModel { what: "rules for names that are not listed" }),
        _ => {}
    }
    let fields = Object::read(raw, "the model")?;
    let mode = Mode::read(fields.text("mode").as_deref());
    let inclusive = fields.text("litellm_provider").as_deref() == Some("xai");
    let mut row = Row { fields, mode, inclusive, rates: Vec::new(), ignored: Vec::new() };
    let prices = key::prices(&row.fields, &mut row.ignored)?;
    tokens::read(&mut row, &prices)?;
    media::read(&mut row, &prices)?;
    schedule::read(&mut row)?;
    let kind = mode.kind();
    let mut model = Model::new(id, kind, base(kind, &row.rates), std::mem::take(&mut row.rates));
    media::options(&mut model);
    describe(&mut model, &row.fields);
    Ok(Entry { model, ignored: row.ignored })
}

/// Whatever else the feed says of a model; what is not as expected is left out.
fn describe(model: &mut Model, fields: &Object<'_>) {
    model.group = fields.text("litellm_provider").map(|provider| excerpt(&provider));
    let says = |name: &str| fields.says(name);
    let all = [
        (Capability::FunctionCalling, says("supports_function_calling")),
        (Capability::Vision, says("supports_vision")),
        (Capability::Reasoning, says("supports_reasoning")),
        (Capability::AudioInput, says("supports_audio_input")),
        (Capability::VideoInput, says("supports_video_input")),
        (Capability::StructuredOutput, says("supports_response_schema")),
        (Capability::WebSearch, says("supports_web_search")),
    ];
    model.capabilities = all.into_iter().filter(|(_, has)| *has).map(|(word, _)| word).collect();
    let context_tokens = fields.count("max_input_tokens").or_else(|| fields.count("max_tokens"));
    model.limits = Limits { context_tokens, output_tokens: fields.count("max_output_tokens") };
    model.retired = fields.text("deprecation_date").as_deref().and_then(day_in);
}
