//! Requests line by line, each answered by a line, in order.

use aispace_pricing::request::{Cards, REQUEST_BYTES_MAX, Refusal, Refused, answer_line};
use chrono::{DateTime, Utc};
use std::io::{self, BufRead, BufReader, Read, Write};

/// Answers every line until the input ends. A blank line has no answer; a line that is too long or not UTF-8 has a refusal.
pub fn serve(input: impl Read, out: &mut impl Write, cards: &Cards, now: impl Fn() -> DateTime<Utc>) -> io::Result<()> {
    let mut input = BufReader::with_capacity(64 * 1024, input);
    let mut line = Vec::new();
    loop {
        // Whoever waits for an answer before the next request gets it: nothing more is at hand.
        if input.buffer().is_empty() {
            out.flush()?;
        }
        let answer = match next(&mut input, &mut line)? {
            Next::End => return out.flush(),
            Next::TooLong => refused(format!("a request has at most {REQUEST_BYTES_MAX} bytes")),
            Next::Line => match std::str::from_utf8(&line) {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => answer_line(cards, text, now()),
                Err(_) => refused("a request is UTF-8".to_owned()),
            },
        };
        out.write_all(answer.as_bytes())?;
        out.write_all(b"\n")?;
    }
}

fn refused(message: String) -> String {
    let refused = Refused { id: None, error: Refusal::bad_request(message) };
    serde_json::to_string(&refused).unwrap_or_default()
}

/// What is next in an input.
pub enum Next {
    /// A line.
    Line,
    /// A line that is longer than a request may be.
    TooLong,
    /// Nothing.
    End,
}

/// Reads the next line, without its end. Of a line that is too long no more is kept than a request may have.
pub fn next(input: &mut BufReader<impl Read>, line: &mut Vec<u8>) -> io::Result<Next> {
    line.clear();
    let mut too_long = false;
    let mut any = false;
    loop {
        let bytes = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if bytes.is_empty() {
            break;
        }
        any = true;
        let end = bytes.iter().position(|b| *b == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        too_long |= line.len() + part.len() > REQUEST_BYTES_MAX;
        if !too_long {
            line.extend_from_slice(part);
        }
        let used = end.map_or(bytes.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(match (any, too_long) {
        (false, _) => Next::End,
        (true, true) => Next::TooLong,
        (true, false) => Next::Line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its parts one a read, and writes down how much had been flushed by then.
    struct Parts<'a> {
        parts: Vec<&'a [u8]>,
        flushed: &'a std::cell::RefCell<Vec<u8>>,
        seen: &'a std::cell::RefCell<Vec<usize>>,
    }

    impl Read for Parts<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let lines = self.flushed.borrow().iter().filter(|b| **b == b'\n').count();
            self.seen.borrow_mut().push(lines);
            if self.parts.is_empty() {
                return Ok(0);
            }
            let part = self.parts.remove(0);
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    struct Flushed<'a> {
        waiting: Vec<u8>,
        flushed: &'a std::cell::RefCell<Vec<u8>>,
    }

    impl Write for Flushed<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.waiting.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.flushed.borrow_mut().append(&mut self.waiting);
            Ok(())
        }
    }

    #[test]
    fn an_answer_is_out_before_the_next_request_is_waited_for() {
        let request = br#"{"convert": {"amount": "1", "from": "usd", "to": "aispace"}}"#;
        let (flushed, seen) = (std::cell::RefCell::new(Vec::new()), std::cell::RefCell::new(Vec::new()));
        let first = [request.as_slice(), b"\n", request, b"\n"].concat();
        let parts = vec![first.as_slice(), &request[..20], &request[20..], b"\n"];
        let cards = Cards::built_in().expect("the built-in cards hold together");
        let mut out = Flushed { waiting: Vec::new(), flushed: &flushed };
        serve(Parts { parts, flushed: &flushed, seen: &seen }, &mut out, &cards, DateTime::<Utc>::default).expect("serves");
        assert_eq!(*seen.borrow(), [0, 2, 2, 2, 3]);
    }
}
