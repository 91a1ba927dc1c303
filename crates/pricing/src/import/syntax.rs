//! The grammar of billing expressions: numbers, words, texts, calls, signs, and conditions with two ways on.

use super::{expression::ExpressionError, refusal::excerpt};
use std::fmt;

/// A parsed expression, its numbers still text.
#[derive(Debug)]
pub(super) enum Node<'t> {
    Number(&'t str),
    Word(&'t str),
    Text(&'t str),
    Call {
        name: &'t str,
        arguments: Vec<Node<'t>>,
    },
    Binary {
        sign: &'static str,
        left: Box<Node<'t>>,
        right: Box<Node<'t>>,
    },
    Choice {
        condition: Box<Node<'t>>,
        then: Box<Node<'t>>,
        otherwise: Box<Node<'t>>,
    },
    /// A minus or a not before something, which no tariff that is read has.
    Minus,
}

/// Parses a whole expression of at most so many levels and so many signs between two values.
pub(super) fn parse(text: &str, depth_max: u32, signs_max: u32) -> Result<Node<'_>, ExpressionError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth_left: depth_max, signs_left: signs_max };
    let root = parser.choice()?;
    match parser.peek() {
        None => Ok(root),
        Some(_) => parser.unexpected("the end"),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Number(&'t str),
    Word(&'t str),
    Text(&'t str),
    Sign(&'static str),
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(text) | Self::Word(text) => f.write_str(&excerpt(text)),
            Self::Text(text) => write!(f, "{:?}", excerpt(text)),
            Self::Sign(sign) => f.write_str(sign),
        }
    }
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 25] =
    ["<=", ">=", "==", "!=", "&&", "||", "**", "??", "?.", "..", "<", ">", "(", ")", "[", "]", "?", ":", ",", "+", "-", "*", "/", "%", "!"];

/// Signs between two values, those that bind least first.
const LEVELS: [&[&str]; 5] = [&["||", "??"], &["&&"], &["<=", ">=", "==", "!=", "<", ">"], &["+", "-"], &["*", "/", "%", "**"]];

fn tokens(text: &str) -> Result<Vec<Token<'_>>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, left) = match first {
            '0'..='9' => {
                let (number, left) = split(rest, number_length(rest));
                (Token::Number(number), left)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let (word, left) = split(rest, rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count());
                (word_or_sign(word), left)
            }
            '"' | '\'' => quoted(rest, first)?,
            _ => {
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
                let unknown = || ExpressionError::Unexpected { found: format!("{first:?}"), expected: "a number, a word or a sign" };
                let sign = sign.ok_or_else(unknown)?;
                (Token::Sign(sign), rest.get(sign.len()..).unwrap_or_default())
            }
        };
        tokens.push(token);
        rest = left.trim_start();
    }
    Ok(tokens)
}

fn word_or_sign(word: &str) -> Token<'_> {
    match word {
        "and" => Token::Sign("&&"),
        "or" => Token::Sign("||"),
        "not" => Token::Sign("!"),
        other => Token::Word(other),
    }
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// Digits, a point, an exponent: as far as a number goes. Whether it is one is asked later.
fn number_length(text: &str) -> usize {
    let mut previous = b'0';
    let is_part = |b: &&u8| {
        let sign = matches!(b, b'+' | b'-') && matches!(previous, b'e' | b'E');
        previous = **b;
        sign || b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_')
    };
    text.as_bytes().iter().take_while(is_part).count()
}

/// A text between quotes. One with an escape is not read: only names of tiers are texts.
fn quoted(text: &str, quote: char) -> Result<(Token<'_>, &str), ExpressionError> {
    let inside = text.get(quote.len_utf8()..).unwrap_or_default();
    match inside.split_once(quote) {
        Some((name, left)) if !name.contains('\\') => Ok((Token::Text(name), left)),
        _ => Err(ExpressionError::Unexpected { found: excerpt(text), expected: "a text without escapes" }),
    }
}

struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    at: usize,
    depth_left: u32,
    /// A long sum is a deep tree.
    signs_left: u32,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self) -> Option<Token<'t>> {
        let token = self.peek();
        self.at = self.at.saturating_add(1);
        token
    }

    fn eat(&mut self, sign: &'static str) -> bool {
        let found = self.peek() == Some(Token::Sign(sign));
        self.at = self.at.saturating_add(usize::from(found));
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), ExpressionError> {
        if self.eat(sign) { Ok(()) } else { self.unexpected(sign) }
    }

    fn unexpected<T>(&self, expected: &'static str) -> Result<T, ExpressionError> {
        let found = self.peek().map_or_else(|| "the end".to_owned(), |token| token.to_string());
        Err(ExpressionError::Unexpected { found, expected })
    }

    /// A value, or a condition and the two ways on from it.
    fn choice(&mut self) -> Result<Node<'t>, ExpressionError> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or(ExpressionError::TooLarge)?;
        let value = self.level(0)?;
        let node = if self.eat("?") {
            let then = Box::new(self.choice()?);
            self.expect(":")?;
            Node::Choice { condition: Box::new(value), then, otherwise: Box::new(self.choice()?) }
        } else {
            value
        };
        self.depth_left = self.depth_left.saturating_add(1);
        Ok(node)
    }

    /// Values joined by the signs of one level.
    fn level(&mut self, level: usize) -> Result<Node<'t>, ExpressionError> {
        let Some(signs) = LEVELS.get(level) else { return self.value() };
        let deeper = level.saturating_add(1);
        let mut left = self.level(deeper)?;
        while let Some(sign) = signs.iter().find(|sign| self.eat(sign)) {
            self.signs_left = self.signs_left.checked_sub(1).ok_or(ExpressionError::TooLarge)?;
            let right = Box::new(self.level(deeper)?);
            left = Node::Binary { sign, left: Box::new(left), right };
        }
        Ok(left)
    }

    fn value(&mut self) -> Result<Node<'t>, ExpressionError> {
        match self.peek() {
            Some(Token::Number(number)) => self.taken(Node::Number(number)),
            Some(Token::Text(text)) => self.taken(Node::Text(text)),
            Some(Token::Word(word)) => {
                self.take();
                if self.eat("(") { Ok(Node::Call { name: word, arguments: self.arguments()? }) } else { Ok(Node::Word(word)) }
            }
            Some(Token::Sign("(")) => {
                self.take();
                let inside = self.choice()?;
                self.expect(")")?;
                Ok(inside)
            }
            Some(Token::Sign("-" | "!" | "+")) => {
                self.take();
                self.depth_left = self.depth_left.checked_sub(1).ok_or(ExpressionError::TooLarge)?;
                self.value()?;
                self.depth_left = self.depth_left.saturating_add(1);
                Ok(Node::Minus)
            }
            Some(Token::Sign(_)) | None => self.unexpected("a count or a price"),
        }
    }

    fn taken(&mut self, node: Node<'t>) -> Result<Node<'t>, ExpressionError> {
        self.take();
        Ok(node)
    }

    fn arguments(&mut self) -> Result<Vec<Node<'t>>, ExpressionError> {
        let mut arguments = Vec::new();
        if self.eat(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.choice()?);
            if !self.eat(",") {
                self.expect(")")?;
                return Ok(arguments);
            }
        }
    }
}
