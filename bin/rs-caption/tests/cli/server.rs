//! A chat-completions server on the loopback, with whims: it checks what it is sent and answers as told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Whim {
    /// Says this.
    Say(String),
    /// Says this, but after a while.
    Slow(Duration, String),
    /// Answers with this status, these headers and this body.
    Status(u16, &'static str, String),
    /// Sends this in place of a chat completion.
    Body(String),
    /// Hangs up.
    HangUp,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Value,
}

type Mind = dyn Fn(&Seen, usize) -> Whim + Send + Sync;

/// The server; its threads end with the test's process.
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    most: Arc<Mutex<(usize, usize)>>,
}

impl Server {
    /// Serves; `mind` is given a request and how often its like came before.
    pub fn start(mind: impl Fn(&Seen, usize) -> Whim + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (seen, most) = (
            Arc::new(Mutex::new(Vec::new())),
            Arc::new(Mutex::new((0, 0))),
        );
        let (mind, all, count): (Arc<Mind>, _, _) =
            (Arc::new(mind), Arc::clone(&seen), Arc::clone(&most));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mind, all, count) = (Arc::clone(&mind), Arc::clone(&all), Arc::clone(&count));
                thread::spawn(move || serve(&stream.unwrap(), &*mind, &all, &count));
            }
        });
        Self { url, seen, most }
    }

    /// All requests, in the order in which they came.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The most requests that were under way at a time.
    pub fn most(&self) -> usize {
        self.most.lock().unwrap().1
    }
}

/// Serves one connection until the client hangs up.
fn serve(stream: &TcpStream, mind: &Mind, all: &Mutex<Vec<Seen>>, count: &Mutex<(usize, usize)>) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(seen) = request(&mut reader) {
        let before = {
            let mut all = all.lock().unwrap();
            let before = all.iter().filter(|other| other.body == seen.body).count();
            all.push(seen.clone());
            before
        };
        {
            let mut count = count.lock().unwrap();
            count.0 += 1;
            count.1 = count.1.max(count.0);
        }
        let whim = mind(&seen, before);
        if let Whim::Slow(wait, _) = &whim {
            thread::sleep(*wait);
        }
        count.lock().unwrap().0 -= 1;
        let (status, headers, body) = match whim {
            Whim::Say(text) | Whim::Slow(_, text) => (200, "", said(&text, "stop")),
            Whim::Status(status, headers, body) => (status, headers, body),
            Whim::Body(body) => (200, "", body),
            Whim::HangUp => return,
        };
        let head = format!(
            "HTTP/1.1 {status} So\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        );
        // The client may have given up.
        if writer
            .write_all(head.as_bytes())
            .and_then(|()| writer.write_all(body.as_bytes()))
            .is_err()
        {
            return;
        }
    }
}

/// A chat completion.
pub fn said(text: &str, finish: &str) -> String {
    json!({"id": "x", "object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}], "usage": {"total_tokens": 3}}).to_string()
}

fn request(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split(' ');
    assert_eq!(words.next(), Some("POST"));
    let path = words.next()?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen {
        path,
        headers,
        body: serde_json::from_slice(&body).unwrap(),
    })
}
