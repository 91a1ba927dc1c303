//! Parameters as Stripe takes them: `application/x-www-form-urlencoded`, nested names in brackets.

use reqwest::Url;

/// Parameters in the order they are sent, which is part of what an idempotency key is compared by.
#[derive(Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Adds a parameter; `name` may hold brackets.
    pub(super) fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The encoded form, for a body or after a question mark.
    pub(super) fn encode(&self) -> String {
        let Ok(mut url) = Url::parse("form:/") else { return String::new() };
        url.query_pairs_mut().extend_pairs(&self.0);
        url.query().unwrap_or_default().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_ends_it() {
        let form = Form::default().set("a[b]", "x&y=z").set("c", "50 % + \u{e9}#/\"");
        assert_eq!(form.encode(), "a%5Bb%5D=x%26y%3Dz&c=50+%25+%2B+%C3%A9%23%2F%22");
        assert_eq!(Form::default().encode(), "");
    }
}
