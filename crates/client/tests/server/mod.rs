//! A server of a few lines that answers what a test tells it to, byte by byte if need be, and keeps what it was asked.
#![allow(dead_code)]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// A request as it arrived.
#[derive(Clone)]
pub struct Asked {
    pub line: String,
    pub head: String,
    pub body: String,
}

impl Asked {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

pub struct Server {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// What goes on the line in place of an answer.
#[derive(Clone)]
pub enum Act {
    /// A proper answer: status line's rest, further headers, body.
    Answer(&'static str, &'static str, String),
    /// These bytes and the end.
    Raw(Vec<u8>),
    /// These bytes, then one byte each 100 ms.
    Drip(Vec<u8>),
    /// Nothing, with the connection open.
    Hang,
    /// A head without an end, then nothing.
    HangInBody(String),
}

impl Server {
    pub fn start(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let asked = Arc::new(Mutex::new(vec![]));
        let record = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (act, record) = (act.clone(), Arc::clone(&record));
                thread::spawn(move || serve(stream, &act, &record));
            }
        });
        Self { port, asked }
    }

    /// Answers every call with this JSON.
    pub fn json(status: &'static str, body: &str) -> Self {
        Self::start(Act::Answer(status, "content-type: application/json\r\n", body.into()))
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many requests arrived.
    pub fn count(&self) -> usize {
        self.asked.lock().expect("whole").len()
    }

    /// The only request that arrived.
    pub fn asked(&self) -> Asked {
        let asked = self.asked.lock().expect("whole");
        assert_eq!(asked.len(), 1, "one request");
        asked[0].clone()
    }
}

fn serve(mut stream: TcpStream, act: &Act, record: &Mutex<Vec<Asked>>) -> Option<()> {
    let asked = read_request(&mut stream)?;
    record.lock().expect("whole").push(asked);
    match act {
        Act::Answer(status, headers, body) => {
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).ok()?;
            stream.write_all(body.as_bytes()).ok()
        }
        Act::Raw(bytes) => stream.write_all(bytes).ok(),
        Act::Drip(bytes) => {
            stream.write_all(bytes).ok()?;
            loop {
                thread::sleep(Duration::from_millis(100));
                stream.write_all(b" ").ok()?;
            }
        }
        Act::Hang => wait_for_end(&mut stream),
        Act::HangInBody(head) => {
            stream.write_all(head.as_bytes()).ok()?;
            wait_for_end(&mut stream)
        }
    }
}

fn wait_for_end(stream: &mut TcpStream) -> Option<()> {
    stream.read_exact(&mut [0]).ok()
}

fn read_request(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = vec![];
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let (line, head) = head.split_once("\r\n")?;
        let asked = Asked { line: line.into(), head: head.into(), body: body.into() };
        let length: usize = asked.header("content-length").map_or(Ok(0), str::parse).ok()?;
        if body.len() >= length {
            return Some(asked);
        }
    }
}
